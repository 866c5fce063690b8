"""HTTP and WebSocket on one port: a channel for programs and browsers, and an observer of everything that happens."""
