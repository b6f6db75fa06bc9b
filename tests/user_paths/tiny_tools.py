"""Tools with a network that is traced in a second.

    python -m tests.user_paths.tiny_tools train --records=...

Of a stopped run it is the road around the network that is looked at: a
stand-in takes the network's place, and only that.
"""

import contextlib
import runpy
import sys
from collections.abc import Iterator
from unittest import mock

from tests.training import tiny_network


class _Network(tiny_network.TinyNetwork):
    """As undecided as a search begins."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        for parameters in self.architecture.values():
            parameters.alpha.assign(0.01 * parameters.alpha)


@contextlib.contextmanager
def tiny_networks() -> Iterator[None]:
    """Has searches and trainings of this process make the stand-in."""
    with (
        mock.patch("nppnet_tf.training.retrain.NPPNet", _Network),
        mock.patch("nppnet_tf.training.search.NPPNet", _Network),
    ):
        yield


def main() -> None:
    """Runs the tool that the first argument names."""
    tool, *words = sys.argv[1:]
    sys.argv = [tool, *words]
    with tiny_networks():
        runpy.run_module(f"tools.{tool}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
