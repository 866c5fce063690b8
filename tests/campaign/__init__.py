"""The long forms of what the suite checks in short: `make campaign`."""
