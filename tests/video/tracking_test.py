"""Tests of nppnet_tf.video.tracking."""

from absl.testing import absltest

from nppnet_tf.video.tracking import Tracker


def _box(left, top=0):
    return (left, top, left + 20, top + 50)


class TrackerTest(absltest.TestCase):
    def test_people_keep_their_numbers_in_any_order(self):
        tracker = Tracker()

        self.assertEqual(tracker.number([_box(0), _box(100)], 0.0), [1, 2])
        self.assertEqual(tracker.number([_box(97), _box(3)], 0.1), [2, 1])
        self.assertEqual(tracker.number([], 0.2), [])
        self.assertEqual(tracker.number([_box(95)], 0.3), [2])

    def test_strangers_and_those_long_gone_get_new_numbers(self):
        tracker = Tracker()
        tracker.number([_box(0)], 0.0)

        self.assertEqual(tracker.number([_box(0), _box(200)], 0.5), [1, 2])
        self.assertEqual(tracker.number([_box(0), _box(200)], 3.0), [3, 4])


if __name__ == "__main__":
    absltest.main()
