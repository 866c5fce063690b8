"""Deciding what a turn does. Knows no bus, no store and no channel."""
