"""External agents below their turns: folders, programs, conversations."""
