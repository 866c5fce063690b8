"""Kills the real daemon in every way that a machine can, and judges from outside what is left."""
