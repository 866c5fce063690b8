"""Adapters, made from settings. Knows nothing of workers' work."""
