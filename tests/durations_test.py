"""Tests of nppnet_tf.durations."""

from absl.testing import absltest

from nppnet_tf import durations


class DurationsTest(absltest.TestCase):
    def test_seconds_read_as_hours_and_minutes(self):
        self.assertEqual(durations.in_words(41.6), "42 s")
        self.assertEqual(durations.in_words(185), "3:05 min")
        self.assertEqual(durations.in_words(3723), "1:02:03 h")


if __name__ == "__main__":
    absltest.main()
