"""Where tools run: apart from the rest of the machine, or not at all."""
