"""Tests of inference.serving_graph."""

import re

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.samples import geometry
from nppnet_tf.data.samples import heatmap_codec
from nppnet_tf.data.samples import heatmap_encoder
from nppnet_tf.form import answering
from nppnet_tf.inference import predictor
from nppnet_tf.inference import serving_graph
from nppnet_tf.pictures import pixels
from tests import shared
from tests.inference import stand_in

_SIZE = (64, 96)


def _gray_levels(inputs: tf.Tensor) -> np.ndarray:
    return (np.asarray(inputs) * pixels.STD + pixels.MEAN) * 255


class PreprocessTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("tall_and_larger", 100, 40),
        ("wide_and_smaller", 20, 55),
        ("fitting", 64, 96),
        ("one_pixel", 1, 1),
    )
    def test_input_is_that_of_the_pipeline(self, height, width):
        picture = stand_in.picture(height, width)

        inputs = serving_graph.preprocess(tf.constant(picture), _SIZE)

        matrix = geometry.affine_matrix((height, width), _SIZE)
        expected = geometry.warp_image(picture, matrix, _SIZE).astype(float)
        # Pillow drops the fraction of a gray level.
        difference = _gray_levels(inputs) - expected
        self.assertGreater(difference.min(), -1e-3)
        self.assertLess(difference.max(), 1 + 1e-3)

    def test_much_larger_picture_is_averaged_first(self):
        checkered = np.indices((640, 960)).sum(0) % 2 * 255
        picture = np.repeat(checkered[..., np.newaxis], 3, -1)

        inputs = serving_graph.preprocess(
            tf.constant(picture, tf.float32), _SIZE
        )

        np.testing.assert_allclose(_gray_levels(inputs), 127.5, atol=0.01)

    def test_batch_is_its_pictures_one_by_one(self):
        pictures = np.stack([stand_in.picture(150, 260, s) for s in (1, 2)])

        batch = serving_graph.preprocess(tf.constant(pictures), _SIZE)

        for inputs, picture in zip(batch, pictures, strict=True):
            np.testing.assert_allclose(
                inputs,
                serving_graph.preprocess(tf.constant(picture), _SIZE),
                atol=1e-5,
            )


def _mirrored_xy(keypoints_xy, size, axis):
    """Places in the mirror image of a picture of (height, width)."""
    result = np.array(keypoints_xy)
    place = 1 - axis
    result[..., place] = size[axis] - 1 - result[..., place]
    return result


class MirrorTest(parameterized.TestCase):
    """What is made of a mirrored picture is the mirror image, bit by bit."""

    def setUp(self):
        super().setUp()
        self.random = np.random.default_rng(3)

    def _sizes(self, count, largest):
        """Small and large sizes, odd and even."""
        for _ in range(count):
            limit = self.random.choice([9, 70, largest])
            yield tuple(self.random.integers(1, limit, 2).tolist())

    @parameterized.parameters(tf.uint8, tf.float32)
    def test_input_of_any_size(self, dtype):
        preprocess = tf.function(
            lambda image: serving_graph.preprocess(image, _SIZE),
            input_signature=[tf.TensorSpec([None, None, 3], dtype)],
        )
        for size in ((64, 77), (41, 96), (129, 97), *self._sizes(60, 500)):
            image = self.random.integers(0, 256, (*size, 3), np.uint8)

            plain = preprocess(tf.constant(image, dtype))

            for axis in (0, 1):
                mirrored = preprocess(tf.constant(np.flip(image, axis), dtype))
                with self.subTest(size=size, axis=axis):
                    np.testing.assert_array_equal(
                        mirrored, np.flip(plain, axis)
                    )

    def test_both_borders_of_an_odd_width_are_read(self):
        inputs = serving_graph.preprocess(
            tf.fill([64, 77, 3], tf.constant(255, tf.uint8)), _SIZE
        )

        # 77 columns about the middle of 96 reach from 9 to 86, both included.
        is_picture = (_gray_levels(inputs) > 254.9).all((0, 2))
        self.assertEqual(np.flatnonzero(is_picture).tolist(), [*range(9, 87)])

    def test_answer_of_any_size(self):
        logits = self.random.normal(size=(16, 24, 4)).astype(np.float32)
        places = self.random.uniform(0, (95, 63), (5, 2)).astype(np.float32)
        for size in ((64, 77), (41, 96), *self._sizes(25, 200)):
            image_size = tf.constant(size)
            for axis in (0, 1):
                for read in (
                    serving_graph.label_map_at,
                    serving_graph.confidence_at,
                ):
                    plain = read(logits, image_size, _SIZE)
                    mirrored = read(np.flip(logits, axis), image_size, _SIZE)
                    np.testing.assert_array_equal(
                        mirrored, np.flip(plain, axis), f"{size}, {axis}"
                    )
                # As a decoded place and its mirror image are.
                center = np.float32(_SIZE[axis] - 1) / 2
                offsets = places[:, 1 - axis] - center
                exact = places.copy()
                exact[:, 1 - axis] = heatmap_codec.beside(center, offsets)
                np.testing.assert_array_equal(
                    serving_graph.keypoints_at(
                        _mirrored_xy(exact, _SIZE, axis), image_size, _SIZE
                    ),
                    _mirrored_xy(
                        serving_graph.keypoints_at(exact, image_size, _SIZE),
                        size,
                        axis,
                    ),
                )

    @parameterized.named_parameters(
        ("symmetric_network", False), ("flip_averaging", True)
    )
    def test_whole_answer(self, flip):
        graph = serving_graph.ServingGraph(
            _symmetric_network
            if not flip
            else answering.last_stage(stand_in.StandIn()),
            [],
            LIP,
            _SIZE,
            flip=flip,
        )
        partners = {
            "label_map": np.append(LIP.mirrored_classes, [255] * 236),
            "keypoints": list(LIP.mirrored_keypoints),
        }
        for size in ((64, 77), (97, 41), (130, 201)):
            image = self.random.integers(0, 256, (*size, 3), np.uint8)
            encoded = [
                tf.io.encode_png(pixels) for pixels in (image, image[:, ::-1])
            ]

            plain, mirrored = (
                graph.predict_bytes(tf.stack([each])) for each in encoded
            )

            np.testing.assert_array_equal(
                mirrored["label_map"],
                partners["label_map"][np.flip(plain["label_map"], 2)],
            )
            np.testing.assert_array_equal(
                mirrored["keypoints_xy"][0],
                _mirrored_xy(plain["keypoints_xy"][0], size, 1)[
                    partners["keypoints"]
                ],
            )
            np.testing.assert_array_equal(
                mirrored["keypoint_scores"][0],
                np.array(plain["keypoint_scores"][0])[partners["keypoints"]],
            )


def _symmetric_network(image: tf.Tensor) -> dict[str, tf.Tensor]:
    """Answers pixel by pixel, alike for left and right."""
    peaks = tf.nn.max_pool2d(image, 4, 4, "VALID")
    levels = [peaks[..., :1], peaks[..., 1:2] * 0.7, peaks[..., 2:] + 0.3]
    # Only what has no partner: no two classes are ever equally likely.
    likely = {0: levels[0], 5: levels[1], 13: levels[2]}
    return {
        keys.HEATMAPS: tf.concat(
            [levels[0] * factor for factor in [0.5] * LIP.num_keypoints], -1
        ),
        keys.PARSING_LOGITS: tf.concat(
            [
                likely.get(label, tf.fill(tf.shape(levels[0]), -99.0))
                for label in range(LIP.num_classes)
            ],
            -1,
        ),
    }


class LabelMapTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("tall", 150, 60), ("wide", 30, 90), ("small", 9, 7)
    )
    def test_label_map_is_the_inverse_warp_of_the_logits(self, height, width):
        rng = np.random.default_rng(2)
        logits = rng.normal(size=(16, 24, 4)).astype(np.float32)

        label_map = serving_graph.label_map_at(
            tf.constant(logits), tf.constant([height, width]), _SIZE
        )

        full = tf.raw_ops.ResizeBilinear(
            images=logits[np.newaxis], size=_SIZE, align_corners=True
        )[0].numpy()
        matrix = geometry.affine_matrix((height, width), _SIZE)
        rows, columns = np.mgrid[0:height, 0:width]
        points = geometry.transform_points(
            matrix, np.stack([columns, rows], -1).astype(float)
        )
        expected = _bilinear(full, points).argmax(-1)
        self.assertGreater(np.mean(label_map.numpy() == expected), 0.999)

    def test_confidence_is_the_probability_of_the_chosen_class(self):
        rng = np.random.default_rng(2)
        logits = rng.normal(size=(16, 24, 4), scale=3).astype(np.float32)

        confidence = serving_graph.confidence_at(
            tf.constant(logits), tf.constant(_SIZE), _SIZE
        )

        # A picture of the input's size is read at the input's pixels.
        full = tf.raw_ops.ResizeBilinear(
            images=logits[np.newaxis], size=_SIZE, align_corners=True
        )[0].numpy()
        odds = np.exp(full.astype(np.float64))
        expected = odds.max(-1) / odds.sum(-1)
        np.testing.assert_allclose(confidence, expected, atol=1e-5)

    def test_bands_of_a_large_picture_fit_together(self):
        logits = tf.random.stateless_normal((16, 24, 3), (4, 5))
        size = tf.constant([301, 203])
        whole = serving_graph.label_map_at(logits, size, _SIZE)

        with absltest.mock.patch.object(serving_graph, "_BAND_SCORES", 15000):
            in_bands = serving_graph.label_map_at(logits, size, _SIZE)

        np.testing.assert_array_equal(in_bands, whole)


class FitTogetherTest(absltest.TestCase):
    def _fit(self, *sizes):
        statuses = [0 if max(size) else 1 for size in sizes]
        found, statuses = serving_graph.fit_together(
            tf.constant(sizes), tf.constant(statuses)
        )
        return found.numpy().tolist(), statuses.numpy().tolist()

    def test_usual_pictures_fit(self):
        sizes = [[4000, 3000], [0, 0], [3000, 4000]]

        self.assertEqual(self._fit(*sizes), (sizes, [0, 1, 0]))

    def test_four_of_the_largest_fit(self):
        sizes = [[8192, 8192]] * 4

        self.assertEqual(self._fit(*sizes), (sizes, [0] * 4))
        self.assertEqual(
            self._fit(*sizes, [100, 100]),
            ([[0, 0]] * 4 + [[100, 100]], [3] * 4 + [0]),
        )

    def test_odd_one_costs_itself(self):
        sizes = [[65535, 1], [2000, 1000], [1, 30000], [1000, 2000]]

        self.assertEqual(
            self._fit(*sizes),
            ([[0, 0], [2000, 1000], [1, 30000], [1000, 2000]], [3, 0, 0, 0]),
        )


class WithinRequestTest(absltest.TestCase):
    def test_largest_are_left_out(self):
        sizes = [[8192, 8192]] * 5 + [[65535, 65535], [10, 10]]

        statuses = serving_graph.within_request(
            tf.constant(sizes), tf.constant([0] * 5 + [2, 0])
        )

        # Four of the largest, but beside a small one only three.
        self.assertEqual(statuses.numpy().tolist(), [0, 0, 0, 3, 3, 2, 0])


class KeypointsTest(absltest.TestCase):
    def test_keypoints_come_back_to_the_pixels_they_came_from(self):
        truth_xy = np.array([[0.0, 0.0], [40.25, 12.5], [58.0, 149.0]])
        matrix = geometry.affine_matrix((150, 59), _SIZE)
        input_xy = geometry.transform_points(matrix, truth_xy)

        keypoints_xy = serving_graph.keypoints_at(
            tf.constant(input_xy, tf.float32), tf.constant([150, 59]), _SIZE
        )

        np.testing.assert_allclose(keypoints_xy, truth_xy, atol=1e-3)

    def test_keypoints_in_the_gray_are_moved_to_the_border(self):
        keypoints_xy = serving_graph.keypoints_at(
            tf.constant([[0.0, 30.0], [95.0, 30.0]]),
            tf.constant([64, 20]),
            _SIZE,
        )

        np.testing.assert_allclose(keypoints_xy[:, 0], [0.0, 19.0])


class ServingGraphTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth_xy = np.random.default_rng(1).uniform(
            (5, 5), (115, 75), (16, 2)
        )
        matrix = geometry.affine_matrix((80, 120), _SIZE)
        heatmaps = heatmap_encoder.encode(
            geometry.transform_points(matrix, cls.truth_xy),
            np.full(16, 2),
            _SIZE,
            4,
            7.0,
        )

        def network(image: tf.Tensor) -> dict[str, tf.Tensor]:
            batch = tf.shape(image)[0]
            logits = tf.one_hot(tf.fill([batch, 16, 24], 13), 20)
            return {
                keys.HEATMAPS: tf.tile(heatmaps[np.newaxis], [batch, 1, 1, 1]),
                keys.PARSING_LOGITS: logits,
            }

        cls.graph = serving_graph.ServingGraph(
            network, [], LIP, _SIZE, max_pixels=120 * 80
        )

    def test_perfect_heatmaps_give_the_truth_in_pixels_of_the_picture(self):
        image = np.zeros((2, 80, 120, 3), np.float32)

        outputs = self.graph.predict_tensor(tf.constant(image))

        for keypoints_xy in outputs["keypoints_xy"]:
            np.testing.assert_allclose(keypoints_xy, self.truth_xy, atol=0.25)
        self.assertEqual(outputs["label_map"].shape, (2, 80, 120))
        self.assertEqual(outputs["label_map"].dtype, tf.uint8)
        self.assertEqual(np.unique(outputs["label_map"]), [13])
        np.testing.assert_array_equal(outputs["image_size"], [[80, 120]] * 2)

    def test_signatures_are_those_that_docs_serving_tells(self):
        text = (shared.REPOSITORY / "docs/serving.md").read_text("utf-8")
        table = text.partition("## Signatures\n\n")[2].partition("\n\n")[0]
        rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

        self.assertCountEqual(self.graph.signatures(), rows)

    def test_tensor_of_too_many_pixels_is_refused(self):
        with self.assertRaisesRegex(
            tf.errors.InvalidArgumentError, "more pixels than the limit"
        ):
            self.graph.predict_tensor(tf.zeros((1, 81, 120, 3)))
        for with_confidence in (False, True):
            function = self.graph.picture_function(with_confidence)
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, "more pixels than the limit"
            ):
                function(tf.zeros((1, 81, 120, 3), tf.uint8))

    def test_many_pictures_are_answered_as_each_alone(self):
        pictures = tf.stack(
            [
                tf.io.encode_png(stand_in.picture(20 + i, 30, i))
                for i in range(19)
            ]
        )

        graph = predictor.graph_of(stand_in.StandIn(), LIP, _SIZE)

        together = graph.predict_png(pictures)

        for i in (0, 7, 8, 18):
            alone = graph.predict_png(pictures[i : i + 1])
            for name in ("keypoints_xy", "keypoint_scores", "image_size"):
                np.testing.assert_allclose(
                    together[name][i], alone[name][0], atol=1e-3
                )
        self.assertGreater(np.ptp(together["keypoint_scores"], 0).max(), 0.01)

    def test_number_of_pictures_is_limited(self):
        picture = tf.io.encode_png(np.zeros((8, 8, 3), np.uint8))

        for count in (0, 65):
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, "holds 1 to 64 pictures"
            ):
                self.graph.predict_bytes(tf.repeat(picture, count))

    def test_picture_of_too_many_pixels_has_its_status(self):
        large = tf.io.encode_png(np.zeros((81, 120, 3), np.uint8))
        right = tf.io.encode_png(np.zeros((80, 120, 3), np.uint8))

        outputs = self.graph.predict_bytes(tf.stack([large, right]))

        np.testing.assert_array_equal(outputs["status"], [2, 0])
        np.testing.assert_array_equal(
            outputs["image_size"], [[0, 0], [80, 120]]
        )


def _bilinear(image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Reads [H, W, C] at points [h, w, 2], the nearest pixel outside."""
    height, width = image.shape[:2]
    x = points[..., 0].clip(0, width - 1)
    y = points[..., 1].clip(0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right = np.minimum(left + 1, width - 1)
    bottom = np.minimum(top + 1, height - 1)
    u, v = (x - left)[..., np.newaxis], (y - top)[..., np.newaxis]
    return (
        image[top, left] * (1 - u) * (1 - v)
        + image[top, right] * u * (1 - v)
        + image[bottom, left] * (1 - u) * v
        + image[bottom, right] * u * v
    )


if __name__ == "__main__":
    absltest.main()
