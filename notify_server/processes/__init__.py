"""One module per line of the Procfile: loop and signals only."""
