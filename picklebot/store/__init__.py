"""What survives: one database, a seam per consumer."""
