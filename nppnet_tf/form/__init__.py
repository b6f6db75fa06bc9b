"""The inference form: a derived network rewritten for answering, exactly.

`description` walks the layers of a network and writes down what they compute,
`rules` rewrites that one exact step at a time, and `execution` makes the
TensorFlow graph that answers. Nothing here trains, and nothing here knows of
files or people. Begin with `nodes`, then `rules.rules_for`.
"""
