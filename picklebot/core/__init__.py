"""Values that every room speaks of, and the bus. Imports errors at most."""
