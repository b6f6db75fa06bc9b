"""What is searched, as plain data; imports no TensorFlow.

Operations by name, edges and levels, genotypes with their files, and how a
genotype is derived from alpha and beta, in NumPy. What reads a search needs
this room alone. Begin with `genotype`; the layers that fill it are in `layers`.
"""
