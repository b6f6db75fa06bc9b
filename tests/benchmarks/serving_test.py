"""Tests of benchmarks.serving: what it tells, not how fast.

The server is forked; tests/user_paths/serving_test.py starts a real one.
"""

import subprocess
import sys
import types
from unittest import mock

from absl.testing import absltest

from nppnet_tf.benchmarks import served_network
from nppnet_tf.benchmarks import serving
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.config import NetworkConfig
from nppnet_tf.search_space import published
from tests import forked_tools


def _popen(words, **others):
    return forked_tools.popen(words, forked_tools.environment(), **others)


class ServingTest(absltest.TestCase):
    def test_a_served_network_is_measured_under_load(self):
        config = NetworkConfig(
            channels=8, cells=4, num_fusion_cells=1, head_channels=4
        )
        preset = published.Preset(published.resolve("unet"), config)
        size = Size(config.channels, config.cells, (32, 32), 1)
        tool = [sys.executable, "-m", "tools.serve"]

        programs = types.SimpleNamespace(**vars(subprocess))
        programs.Popen = _popen
        with mock.patch.object(served_network, "subprocess", programs):
            found = serving.measure("unet", preset, size, 0.1, tool)

        for protocol in ("rest", "grpc"):
            runs = found["closed"][protocol]
            self.assertEqual([run["clients"] for run in runs], [1, 4, 16])
            for run in runs:
                self.assertEqual(run["outcomes"], {"0": run["requests"]})
        self.assertEqual(found["open"]["loop"], "open")
        saturated = found["saturated"]
        self.assertEqual(saturated["errors_of_good_requests"], 0)
        self.assertGreater(saturated["hostile"], 0)
        self.assertNotEmpty(saturated["memory_mb"])


if __name__ == "__main__":
    absltest.main()
