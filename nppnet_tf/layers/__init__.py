"""Keras layers that NPPNet is built from.

From convolutions to cells, each for a supernet and for a derived network;
`fanout` is the one that knows the difference. Layers know topologies and genes
of `search_space`, but no data, loss or training. Begin with `cell`; a new layer
enters tests/layers/conformance_test.py.
"""
