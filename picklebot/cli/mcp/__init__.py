"""The daemon as an MCP server over stdio, for programs that bring a model of their own."""
