"""Adapters to the platforms people talk on."""
