"""Terminals that join a running daemon: `picklebot chat` and `ask` beside a server."""
