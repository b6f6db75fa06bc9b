"""Files as people have them: formats, names, whole outputs.

No word of the domain enters here: a module of this room knows bytes, names and
folders, but no picture, person or network, and neither TensorFlow nor Keras.
Begin with `atomic`, by which every output is written, and `file_names`, by
which every input is found.
"""
