"""The command line. Imports nothing heavy before it is needed."""
