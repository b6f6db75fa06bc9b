"""The inference form in the files of other runtimes, and back as a function.

A `runtime.Runtime` says how a form becomes a file and how that file answers;
`table` lists them, and `packages` writes and opens the folders that hold one.
Each runtime is a module that imports its library where it is used. Nothing here
knows of people or pictures; begin with `runtime`.
"""
