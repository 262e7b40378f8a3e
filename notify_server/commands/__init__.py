"""What the command line offers, by what it is about."""
