"""The tool process: file and shell tools, in a program of its own.

Run as `python -I -S .../toolhost/__main__.py serve ROOT MEMORY_MB`; needs nothing but the standard library. Promises
that no path leads outside ROOT, that nothing a command started outlives its call, and that one stuck call holds up no
other. Knows no daemon, no session and no model.
"""
