"""Tests; the folders mirror those of `nppnet_tf` and `tools`.

A module `a/b.py` has its tests in `tests/a/b_test.py`. `house_test` holds the
house to its plan, `user_paths` does what users do, and modules without `_test`
are what tests share. Begin with the test of the module that you change.
"""
