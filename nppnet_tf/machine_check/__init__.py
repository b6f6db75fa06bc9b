"""What a machine has, what it lacks, and what to do about it.

Nothing here imports TensorFlow into its own process: a machine whose TensorFlow
cannot be imported is what it is for. Begin with `examination`, which lists all
there is to look at.
"""
