"""Tests of nppnet_tf.video.one_euro."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.video import one_euro
from nppnet_tf.video.one_euro import OneEuroFilter


class OneEuroFilterTest(absltest.TestCase):
    def _smooth(self, places, found=None, rate=25.0):
        one = OneEuroFilter(places.shape[1])
        if found is None:
            found = np.ones(places.shape[:2], bool)
        return np.stack(
            [
                one.smooth(place, seen, number / rate, 100.0)
                for number, (place, seen) in enumerate(
                    zip(places, found, strict=True)
                )
            ]
        )

    def test_joints_at_rest_are_calm(self):
        noise = np.random.default_rng(0).normal(0, 2, (200, 16, 2))

        smoothed = self._smooth(noise)

        self.assertLess(smoothed[20:].std(), 0.6 * noise.std())

    def test_joints_in_motion_are_followed(self):
        # Two heights of the person in a second.
        x = np.arange(50) / 25 * 200
        places = np.stack([x, np.zeros(50)], axis=-1)[:, np.newaxis]

        smoothed = self._smooth(places)

        self.assertLess(np.abs(smoothed - places)[10:].max(), 8)

    def test_rate_of_frames_does_not_matter(self):
        def place(count, rate):
            x = 50 * np.sin(np.arange(count) / rate)
            return np.stack([x, x], axis=-1)[:, np.newaxis]

        slow = self._smooth(place(50, 25.0), rate=25.0)
        fast = self._smooth(place(200, 100.0), rate=100.0)

        np.testing.assert_allclose(fast[::4], slow, atol=1.5)

    def test_joints_that_were_not_found_stay_and_begin_anew(self):
        places = np.zeros((40, 1, 2))
        places[10:25] = 500
        places[25:] = 90
        found = np.ones((40, 1), bool)
        found[10:25] = False

        smoothed = self._smooth(places, found)

        np.testing.assert_array_equal(smoothed[10:25], places[10:25])
        np.testing.assert_array_equal(smoothed[25:], places[25:])

    def test_spikes_of_one_frame_are_taken_out(self):
        frames = [np.full((1, 2), value) for value in (1.0, 90.0, 2.0)]

        np.testing.assert_array_equal(one_euro.without_spikes(frames), [[2, 2]])


if __name__ == "__main__":
    absltest.main()
