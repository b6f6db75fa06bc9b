"""Tests of nppnet_tf.benchmarks.thread_time."""

import tensorflow as tf
from absl.testing import absltest
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from nppnet_tf.benchmarks import thread_time


def _space(**picoseconds):
    """A profile with an event of each name, twice."""
    space = xplane_pb2.XSpace()
    plane = space.planes.add(name="/host:CPU")
    for number, (name, duration) in enumerate(picoseconds.items()):
        plane.event_metadata[number].name = name
        for _ in range(2):
            line = plane.lines.add()
            line.events.add(metadata_id=number, duration_ps=duration)
    return space


class ThreadTimeTest(absltest.TestCase):
    def test_operations_are_added_by_their_kind(self):
        space = _space(
            **{
                "model/a/Conv2D:_MklNativeConv2D": 10**12,
                "model/b/Conv2D:Conv2D": 10**12,
                "model/Add:AddV2": 3 * 10**12,
                ":__inference_function_7": 10**13,
                "ExecutorState::Process": 10**13,
                "Session": 10**13,
            }
        )

        seconds = thread_time.seconds_by_kind(space)

        self.assertEqual(seconds, {"Conv2D": 4, "AddV2": 6})

    def test_shares_of_a_step_add_up(self):
        matrix = tf.ones([1500, 1500])
        function = tf.function(lambda: tf.reduce_sum(matrix @ matrix))
        function()

        found = thread_time.shares(lambda: function().numpy())

        self.assertGreater(found["thread_seconds"], 0)
        shares = found["share_of_thread_time"]
        self.assertContainsSubset(["MatMul", "Sum"], shares)
        self.assertAlmostEqual(sum(shares.values()), 1, delta=0.01)


if __name__ == "__main__":
    absltest.main()
