"""What users do, as they do it.

Every test here starts the tools in fresh processes, with their default flags,
threads and environment, on files as people have them: a promise of the README
or of `docs/` is kept where it is used. `docs/promises.md` says which test holds
which promise. Parts alone are tested in the other packages.

The processes are forked from one that has TensorFlow loaded (`forked_tools`),
but where a start of the interpreter is asked for (`is_real`). Where what is
looked at lies around the network, a stand-in takes its place (`tiny_tools`).
"""
