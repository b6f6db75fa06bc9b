"""Tests of nppnet_tf.inference.several_people."""

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.people.detections import Detections
from nppnet_tf.data.record import Crop
from nppnet_tf.errors import UserError
from nppnet_tf.inference import several_people
from nppnet_tf.inference.predictor import Prediction


class MergedLabelMapTest(absltest.TestCase):
    def test_more_confident_part_wins_and_background_never_does(self):
        merged = several_people.MergedLabelMap((2, 5))

        # Columns 0..2, half believed; then columns 2..4 fully believed.
        merged.add(
            np.array([[1, 1, 1], [0, 1, 1]]),
            np.array([[0.9, 0.9, 0.9], [0.9, 0.3, 0.9]], np.float32),
            Crop("a", (0, 0, 3, 2), (2, 5), score=0.5),
        )
        merged.add(
            np.array([[2, 2, 0], [0, 2, 2]]),
            np.array([[0.5, 0.4, 0.9], [0.99, 0.6, 0.2]], np.float32),
            Crop("a", (2, 0, 5, 2), (2, 5), score=1.0),
        )

        self.assertEqual(
            merged.label_map.tolist(), [[1, 1, 2, 2, 0], [0, 1, 1, 2, 2]]
        )
        # The classes here are the persons' numbers.
        np.testing.assert_array_equal(merged.instance_map, merged.label_map)

    def test_order_of_people_does_not_matter(self):
        random = np.random.default_rng(0)
        people = [
            (
                random.integers(0, 4, (6, 7)),
                random.uniform(0, 1, (6, 7)).astype(np.float32),
                Crop("a", (k, k, k + 7, k + 6), (10, 12), 0.5 + k / 10),
            )
            for k in range(4)
        ]
        maps = []
        for order in (people, people[::-1]):
            merged = several_people.MergedLabelMap((10, 12))
            for person in order:
                merged.add(*person)
            maps.append(merged.label_map)

        np.testing.assert_array_equal(*maps)


def _found(*boxes):
    return Detections(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.full(len(boxes), 0.5),
        None,
    )


class CutTest(absltest.TestCase):
    def test_crops_have_a_margin_inside_of_the_picture(self):
        people = several_people.cut(
            _found((10, 10, 30, 20.5), (-5, 30, 10, 50)), (40, 60), 0.1
        )

        self.assertEqual(people.crops[0].box, (8, 8, 32, 22))
        self.assertEqual(people.crops[1].box, (0, 28, 12, 40))
        self.assertEqual(people.crops[1].score, 0.5)
        self.assertEmpty(people.outside)

    def test_boxes_that_show_nothing_are_told(self):
        inside = (1.0, 1.0, 5.0, 5.0)
        strangers = (
            (60.0, 0.0, 70.0, 40.0),
            (5.0, 5.0, 5.0, 9.0),
            (9.0, 9.0, 2.0, 2.0),
            (-1e300, 0.0, -1e299, 40.0),
        )

        people = several_people.cut(_found(inside, *strangers), (40, 60), 1)

        self.assertLen(people.crops, 1)
        self.assertEqual(people.boxes.tolist(), [list(inside)])
        self.assertEqual(people.outside, strangers)

    def test_crowds_are_refused(self):
        boxes = [(0, 0, 9, 9)] * 255

        with self.assertRaisesRegex(UserError, "too many people.*a.jpg"):
            several_people.cut(_found(*boxes), (40, 60), 0, "a.jpg")


class PredictTest(absltest.TestCase):
    def test_everybody_is_seen_alone_and_laid_back(self):
        picture = np.zeros((40, 60, 3), np.uint8)
        picture[:, 30:] = 9
        seen = []

        def predict_one(crop):
            seen.append(crop)
            size = crop.shape[:2]
            return Prediction(
                np.full(size, 3 + crop[0, 0, 0], np.uint8),
                np.array([[1.0, 2.0]]),
                np.array([0.5]),
                np.full(size, 0.5, np.float32),
            )

        answer = several_people.predict(
            predict_one,
            picture,
            several_people.cut(
                _found((2, 4, 20, 30), (30, 0, 60, 40)), (40, 60), 0
            ),
        )

        self.assertEqual(
            [crop.shape for crop in seen], [(26, 18, 3), (40, 30, 3)]
        )
        self.assertEqual(answer.label_map[10, [5, 25, 40]].tolist(), [3, 0, 12])
        self.assertEqual(
            answer.instance_map[10, [5, 25, 40]].tolist(), [1, 0, 2]
        )
        self.assertEqual(answer.people[1].keypoints_xy.tolist(), [[31, 2]])
        self.assertEqual(answer.people[0].box, (2, 4, 20, 30))
        self.assertEqual(answer.pixels_of(0).sum(), 26 * 18)
        self.assertEqual(np.unique(answer.parts_of(1)).tolist(), [0, 12])


if __name__ == "__main__":
    absltest.main()
