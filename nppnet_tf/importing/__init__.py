"""The authors' checkpoints: their keys and layouts.

Reads files of PyTorch without PyTorch, finds for each tensor the variable it
belongs to, and writes such files. What the authors' code calls things is known
here and nowhere else. Begin with `imported_run`, which makes a run of ours out
of a file of theirs; `state_dict` holds the map of keys.
"""
