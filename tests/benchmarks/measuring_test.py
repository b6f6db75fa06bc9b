"""Tests of nppnet_tf.benchmarks.measuring."""

import json
import sys
import time

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.benchmarks import measuring
from nppnet_tf.errors import UserError


class MeasuringTest(absltest.TestCase):
    def test_every_step_is_taken_and_told(self):
        steps = []

        first = measuring.first(lambda: steps.append("first"))
        repeated = measuring.repeat(lambda: steps.append("more"), 3)

        self.assertEqual(steps, ["first", "more", "more", "more"])
        self.assertGreater(first["seconds_to_first_step"], 0)
        self.assertLen(repeated["seconds_of_each_step"], 3)

    def test_samples_of_what_is_called_in_turns_are_kept(self):
        calls = []

        found = measuring.in_turns(
            {name: lambda name=name: calls.append(name) for name in "ab"}, 2
        )

        self.assertEqual("".join(calls), "ababab")
        self.assertLen(found["a"]["samples"], 2)
        self.assertEqual(found["b"]["most"], max(found["b"]["samples"]))

    def test_samples_stand_in_one_line(self):
        result = {"a": {"samples": [1.5, 2]}, "b": "[ 3 ]", "c": [{"d": 1}]}

        text = measuring.to_json(result)

        self.assertIn('"samples": [1.5, 2]\n', text)
        self.assertEqual(json.loads(text), result)

    def test_the_rate_of_the_machine_is_one_that_a_product_reaches(self):
        found = measuring.circumstances()["machine_gmac_per_second"]
        square = np.ones([512, 512], np.float32)
        started = time.perf_counter()
        for _ in range(5):
            square @ square
        reached = 5 * 512**3 / (time.perf_counter() - started) / 1e9

        # Within a hundredfold: what units are mixed up for.
        self.assertBetween(found / reached, 0.01, 100)

    def test_nodes_of_called_functions_are_counted(self):
        @tf.function
        def negative(value):
            return -value

        outer = tf.function(lambda value: negative(value))
        value = tf.ones([2])

        self.assertGreater(
            measuring.graph_nodes(outer, value),
            measuring.graph_nodes(negative, value),
        )

    def test_memory_of_a_child_is_its_own(self):
        program = "import time; a = b'1' * 300_000_000; time.sleep(1)"

        seconds, peak = measuring.run_child([sys.executable, "-c", program])

        self.assertGreater(seconds, 1)
        self.assertBetween(peak, 0.3, 0.5)

    def test_a_child_that_fails_is_named(self):
        with self.assertRaisesRegex(UserError, "this failed; found: status 1"):
            measuring.run_child([sys.executable, "-m", "this.this"])


if __name__ == "__main__":
    absltest.main()
