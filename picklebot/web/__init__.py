"""The web, as agents may see it: public addresses only, read as text, and everything in bounds."""
