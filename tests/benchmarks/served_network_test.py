"""Tests of benchmarks.served_network; its server: benchmarks/serving_test."""

from absl.testing import absltest

from nppnet_tf.benchmarks import served_network


def _figures(samples_mb):
    return tuple(served_network.memory_figures(samples_mb).values())


class MemoryFiguresTest(absltest.TestCase):
    def test_warm_up_lasts_until_memory_is_settled(self):
        settled = [1500, 1560, 1500, 1530, 1530, 1530]

        self.assertEqual(_figures([1000, 1036, 1200, 1300, *settled]), (0.4, 0))
        self.assertEqual(_figures(settled), (0, 0))
        self.assertEqual(_figures([1000, 1000, 1040]), (0, 0.04))

    def test_a_leak_never_settles(self):
        self.assertEqual(
            _figures([1000, 1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800]),
            (None, 0.5455),
        )

    def test_a_server_that_is_gone_holds_nothing(self):
        self.assertEqual(_figures([]), (None, 0))
        self.assertEqual(_figures([0, 0]), (0, 0))


if __name__ == "__main__":
    absltest.main()
