"""Tests of nppnet_tf.benchmarks.search_step."""

from absl.testing import absltest

from nppnet_tf.benchmarks import search_step
from nppnet_tf.benchmarks.measuring import Size
from nppnet_tf.search_space import stages


class SearchStepTest(absltest.TestCase):
    def test_both_steps_are_measured(self):
        found = search_step.measure(
            stages.ENCODER_DECODER, None, Size(16, 4, 32, 1), 1
        )

        self.assertLen(found["graph_nodes"], 2)
        for nodes in found["graph_nodes"].values():
            self.assertGreater(nodes, 1000)
        self.assertLen(found["seconds_of_each_step"], 1)
        self.assertGreater(found["peak_memory_gb"], 0)


if __name__ == "__main__":
    absltest.main()
