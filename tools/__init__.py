"""Command lines; `python -m tools.<name> --help` is complete.

A module here is a command: flags, a call into `nppnet_tf`, and what is said on
the screen. What commands share is `tools.command_line`; what could serve a
Python program belongs into `nppnet_tf`. Begin with `predict`, `search` or
`demo`.
"""
