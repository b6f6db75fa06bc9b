"""Tests of nppnet_tf.benchmarks.overheads."""

from absl.testing import absltest

from nppnet_tf.benchmarks import overheads
from tests.training import tiny_network


class OverheadsTest(absltest.TestCase):
    def test_further_work_of_a_search_is_measured_in_steps(self):
        model = tiny_network.search_model()
        data = tiny_network.search_dataset(1).get_single_element()
        taken = []

        def take_step():
            taken.append(float(model.take_step(data)["loss"]))

        found = overheads.measure(model, take_step)

        works = ["checkpoint", "record", "restoring"]
        self.assertEqual(list(found["worth_steps"]), works)
        seconds = found["cpu_seconds_of"]
        self.assertEqual(list(seconds), ["step", *works])
        for work in works:
            self.assertGreater(seconds[work], 0)
            self.assertAlmostEqual(
                found["worth_steps"][work],
                seconds[work] / seconds["step"],
                # Both are rounded.
                delta=0.1 * found["worth_steps"][work] + 0.01,
            )
        self.assertLen(taken, 3)


if __name__ == "__main__":
    absltest.main()
