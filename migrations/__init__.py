"""Numbered changes to the database, run in order by `notify-server migrate`, each once and safe to repeat."""
