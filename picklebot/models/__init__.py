"""Adapters to language models, behind one seam."""
