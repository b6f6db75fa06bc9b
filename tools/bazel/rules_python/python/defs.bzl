"""Stands in for @rules_python in Bazel 4: the native rules by the same names."""

py_binary = native.py_binary
py_library = native.py_library
py_test = native.py_test
