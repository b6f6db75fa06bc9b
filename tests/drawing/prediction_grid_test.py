"""Pictures of predictions: colors are the palette's, places are right."""

import numpy as np
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.drawing import prediction_grid


class PredictionGridTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        labels = np.zeros((2, 8, 8), np.int32)
        labels[:, 0] = 255
        labels[:, 4:] = 13
        truth = np.zeros((2, 2, 2, 16), np.float32)
        truth[:, 1, 0, 5] = 1.0
        logits = np.zeros((2, 2, 2, 20), np.float32)
        logits[:, :, 1, 9] = 5.0
        self.batch = {
            keys.IMAGE: np.zeros((2, 8, 8, 3), np.float32),
            keys.LABEL_MAP: labels,
            keys.HEATMAPS: truth,
        }
        self.predictions = {
            keys.PARSING_LOGITS: (logits * 0, logits),
            keys.HEATMAPS: (truth * 0, truth * 2),
        }

    def _grid(self, max_rows=4):
        return prediction_grid.prediction_grid(
            self.batch, self.predictions, descriptors.LIP, max_rows
        )

    def test_one_row_for_each_person_and_five_columns(self):
        grid = self._grid()

        self.assertEqual((grid.shape, grid.dtype), ((16, 40, 3), np.uint8))
        self.assertEqual(self._grid(max_rows=1).shape, (8, 40, 3))

    def test_colors_are_those_of_the_palette(self):
        grid = self._grid()
        palette = descriptors.LIP.palette

        self.assertEqual(tuple(grid[4, 8]), palette[13])
        self.assertEqual(tuple(grid[0, 8]), (128, 128, 128))
        self.assertEqual(tuple(grid[0, 16 + 3]), palette[0])
        self.assertEqual(tuple(grid[0, 16 + 4]), palette[9])

    def test_joints_lie_where_they_are_and_are_clipped(self):
        grid = self._grid()

        for start in (24, 32):
            self.assertEqual(tuple(grid[4, start]), (255, 255, 255))
            self.assertEqual(tuple(grid[3, start]), (0, 0, 0))

    def test_mean_picture_is_the_mean_color(self):
        np.testing.assert_allclose(
            self._grid()[0, 0], [0.485 * 255, 0.456 * 255, 0.406 * 255], atol=1
        )


if __name__ == "__main__":
    absltest.main()
