"""What command lines share: flags, errors in one line, help, progress.

A tool is a module of `tools` with `main`; what two of them need is here, and
nothing of it is imported by `nppnet_tf`. Imports neither TensorFlow nor Keras,
so that `--help` and wrong flags answer at once. Begin with `app.run`.
"""
