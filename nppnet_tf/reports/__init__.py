"""Pages that tell a run: one HTML file that needs no other.

`page` puts a page together from sections; `run_report` reads what runs left
behind, where to begin.
"""
