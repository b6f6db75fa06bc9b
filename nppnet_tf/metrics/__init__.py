"""Metrics as the field reports them.

Each is a NumPy function with its protocol in the docstring, and two of them are
Keras metrics as well, for validation within a training. They take arrays, and
know neither files nor networks: `evaluation` brings them together. Begin with
`mean_iou` for parsing and `pck` for pose.
"""
