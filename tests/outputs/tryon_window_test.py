"""Tests of nppnet_tf.outputs.tryon_window."""

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.outputs.tryon_window import Window


class WindowTest(parameterized.TestCase):
    @parameterized.parameters((40, 30), (40, 20), (11, 37), (400, 300))
    def test_points_go_where_their_pixels_go(self, height, width):
        label_map = np.zeros((height, width), np.uint8)
        label_map[height // 3, width // 4] = 7
        window = Window((height, width), (120, 90))

        rows, columns = np.nonzero(window.label_map(label_map))
        points = np.array([[width // 4, height // 3]], np.float64)
        ((x, y),) = window.points(points)

        if rows.size:
            self.assertAlmostEqual(x, columns.mean(), delta=1)
            self.assertAlmostEqual(y, rows.mean(), delta=1)
        else:
            self.assertGreater(height, 120)

    def test_what_is_laid_is_whole_and_in_the_middle(self):
        window = Window((40, 20), (120, 90))

        picture = window.picture(np.zeros((40, 20, 3), np.uint8))

        self.assertEqual(np.unique(picture[:, 15:75]).tolist(), [0])
        self.assertEqual(np.unique(picture[:, :15]).tolist(), [255])
        self.assertEqual(np.unique(picture[:, 75:]).tolist(), [255])


if __name__ == "__main__":
    absltest.main()
