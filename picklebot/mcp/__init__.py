"""Servers of further tools (Model Context Protocol): what they offer, whether it is still the same, and asking them."""
