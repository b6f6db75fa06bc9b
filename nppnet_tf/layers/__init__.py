"""Keras layers that NPPNet is built from."""
