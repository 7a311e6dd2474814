"""One module for each group of commands: reads options, calls clients, shows results."""
