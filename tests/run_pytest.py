"""Runs a file of tests for Bazel, under the settings of `make test`."""

import sys

import pytest

if __name__ == "__main__":
    # Bazel's folder of sources is read-only where it runs in a sandbox.
    sys.exit(pytest.main(["-p", "no:cacheprovider", *sys.argv[1:]]))
