"""What a search strategy is made of, one idea of one paper in each file.

Nothing here knows of people or pixels: components see alpha, weights of
operations, gradients and records of epochs. `table.py` knows all of them by
name; `nppnet_tf.search_space.strategies` puts them together.
"""
