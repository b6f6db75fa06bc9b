"""What is said of a run that makes no step for long, and when."""

import threading

from absl.testing import absltest

from nppnet_tf.training import stall


class StallWatchTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.told = []
        self.watch = stall.StallWatch(
            lambda seconds, what: self.told.append((seconds, what)),
            clock=lambda: self.now,
        )

    def _look_at(self, *seconds):
        """Looks at these times; returns when something was said."""
        self.told.clear()
        for self.now in seconds:
            self.watch.look()
        return [time for time, _ in self.told]

    def test_says_what_is_waited_for_at_growing_intervals(self):
        self.watch.waits(stall.TRAINING_INPUT)

        told = self._look_at(*range(0, 500, 10))

        self.assertEqual(told, [60, 120, 240, 480])
        self.assertEqual(
            {what for _, what in self.told}, {stall.TRAINING_INPUT}
        )

    def test_share_counts_one_kind_of_wait_from_its_beginning_on(self):
        self.watch.waits(stall.TRAINING_INPUT)
        self.now = 5
        share = self.watch.share_of(stall.TRAINING_INPUT)
        self.assertEqual(share(), 0)

        self.now = 6
        self.assertEqual(share(), 1)
        self.watch.waits(stall.STEP)
        self.now = 9
        self.watch.is_done()
        self.now = 10

        self.assertEqual(share(), 0.2)

    def test_names_the_present_wait_and_counts_from_the_last_step(self):
        self.watch.is_done()
        self.watch.waits(stall.TRAINING_INPUT)
        self.now = 30
        self.watch.waits(stall.STEP)

        self._look_at(59, 61)

        self.assertEqual(self.told, [(61, stall.STEP)])

    def test_slow_steps_are_no_stall(self):
        self.watch.waits(stall.STEP)
        self.now = 50
        self.watch.is_done()
        self.watch.waits(stall.STEP)

        told = self._look_at(*range(51, 201))

        # 50 s was the step before; three times that is long.
        self.assertEqual(told, [150])

    def test_a_traced_step_says_nothing_of_those_that_follow(self):
        self.watch.waits(stall.TRACING)
        self.assertEqual(self._look_at(100, 300), [100, 300])
        self.assertEqual(self.told[-1], (300, stall.TRACING))
        self.watch.is_done()
        self.watch.waits(stall.STEP)

        self.assertEqual(self._look_at(359, 360), [60])

    def test_between_steps_nothing_is_waited_for(self):
        self.watch.waits(stall.STEP)
        self.watch.is_done()

        self.assertEmpty(self._look_at(1000))

    def test_looks_by_itself_as_long_as_the_block_runs(self):
        told = threading.Event()
        watch = stall.StallWatch(
            lambda seconds, what: told.set(), patience_seconds=0.01
        )

        with watch.watching():
            watch.waits(stall.CHECKPOINT)
            self.assertTrue(told.wait(60))

        self.assertNotIn("stall", [t.name for t in threading.enumerate()])


if __name__ == "__main__":
    absltest.main()
