"""Webhooks: other people's programs ring here, each with a secret of its own."""
