"""Markdown files in, frozen specs out."""
