"""Plain description of what is searched; imports no TensorFlow."""
