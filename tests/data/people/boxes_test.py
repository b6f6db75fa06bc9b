"""Tests of nppnet_tf.data.people.boxes."""

import itertools

import numpy as np
from absl.testing import absltest

from nppnet_tf.data.people import boxes


class IntersectionOverUnionTest(absltest.TestCase):
    def test_equals_counting_pixels(self):
        random = np.random.default_rng(0)
        corners = random.integers(0, 15, (7, 2, 2))
        some = np.concatenate([corners.min(1), corners.max(1)], axis=1)
        pixels = np.zeros((7, 20, 20), bool)
        for mask, (left, top, right, bottom) in zip(pixels, some, strict=True):
            mask[top:bottom, left:right] = True

        found = boxes.intersection_over_union(some, some)

        for i, j in itertools.product(range(7), repeat=2):
            union = (pixels[i] | pixels[j]).sum()
            expected = (pixels[i] & pixels[j]).sum() / union if union else 0
            self.assertAlmostEqual(found[i, j], expected)

    def test_nothing_overlaps_nothing(self):
        found = boxes.intersection_over_union(np.zeros((0, 4)), np.ones((2, 4)))

        self.assertEqual(found.shape, (0, 2))


class AssignTest(absltest.TestCase):
    def test_sum_of_overlaps_is_the_largest_of_all_assignments(self):
        random = np.random.default_rng(3)
        starts = random.uniform(0, 10, (2, 5, 2))
        some, others = np.concatenate(
            [starts, starts + random.uniform(5, 15, (2, 5, 2))], axis=-1
        )
        overlap = boxes.intersection_over_union(some, others)

        pairs = boxes.assign(some, others, max_cost=1.0)

        self.assertAlmostEqual(
            sum(overlap[pair] for pair in pairs),
            max(
                sum(overlap[i, j] for i, j in enumerate(order))
                for order in itertools.permutations(range(5))
            ),
        )

    def test_pair_at_the_limit_is_kept_and_beyond_it_dropped(self):
        person = [[0, 0, 10, 10]]

        self.assertEqual(
            boxes.assign(person, [[0, 0, 10, 8]], max_cost=0.2), [(0, 0)]
        )
        self.assertEmpty(boxes.assign(person, [[0, 0, 10, 7]], max_cost=0.2))

    def test_more_people_than_boxes(self):
        people = [[0, 0, 4, 4], [10, 10, 14, 14], [20, 0, 24, 4]]

        self.assertEqual(
            boxes.assign(people, [[20, 0, 24, 4]], max_cost=0.3), [(2, 0)]
        )
        self.assertEmpty(boxes.assign(people, np.zeros((0, 4)), max_cost=0.3))


class PixelsTest(absltest.TestCase):
    def test_fractions_are_cut_off_or_grown(self):
        box = (1.9, -0.5, 3.1, 4.0)

        self.assertEqual(boxes.whole_pixels(box), (1, 0, 3, 4))
        self.assertEqual(boxes.whole_pixels(box, outwards=True), (1, -1, 4, 4))

    def test_part_inside_of_the_picture(self):
        self.assertEqual(boxes.inside((-2, 3, 9, 30), (20, 8)), (0, 3, 8, 20))


if __name__ == "__main__":
    absltest.main()
