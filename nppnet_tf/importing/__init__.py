"""The authors' checkpoints: their keys and layouts, read and written.

`imported_run` makes a run of ours out of a file of theirs, where to begin;
`state_dict` maps keys to variables in both directions. Files are read without
PyTorch, and nothing in them is executed.
"""
