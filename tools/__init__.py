"""Command lines; `python -m tools.<name> --help` is complete."""
