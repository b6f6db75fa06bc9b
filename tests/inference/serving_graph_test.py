"""Tests of inference.serving_graph."""

import re

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.samples import geometry
from nppnet_tf.data.samples import heatmap_encoder
from nppnet_tf.form import answering
from nppnet_tf.inference import predictor
from nppnet_tf.inference import serving_graph
from tests import shared
from tests.inference import stand_in

_SIZE = (64, 96)


class MirrorTest(parameterized.TestCase):
    """What is made of a mirrored picture is the mirror image, bit by bit."""

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
        random = np.random.default_rng(3)
        for size in ((64, 77), (97, 41), (130, 201)):
            image = random.integers(0, 256, (*size, 3), np.uint8)
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
                stand_in.mirrored_xy(plain["keypoints_xy"][0], size, 1)[
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


class _Oracle:
    """Answers with the truth about one picture, however it is shown.

    Pictures get brighter to the right, which tells their mirror images. Where
    they lie in the input is computed here once more.

    Args:
        size: (height, width) of the picture.
        input_size: (height, width) of the input at scale 1.
        keypoints_xy: Float [16, 2], pixels of the picture.
        border_x: Border of two parts: left arm before it, right arm behind.
        scales: Factors that the input is seen at.
    """

    def __init__(self, size, input_size, keypoints_xy, border_x, scales):
        self.scale = min(np.divide(input_size, size))
        self._last_xy = np.subtract(size[::-1], 1)
        self._input_last_xy = np.subtract(input_size[::-1], 1)
        self._keypoints_xy = keypoints_xy
        self._border_x = border_x
        # Of a size that is seen, that of the input in it; gray is about it.
        self._inner_sizes = {}
        for exact in np.outer(scales, input_size):
            whole = np.maximum(np.round(exact / 32) * 32, 32)
            inner = whole
            if np.abs(whole / exact - 1).max() > 0.07:
                inner = np.round(exact / 2) * 2
                whole = np.ceil(inner / 32) * 32
            self._inner_sizes[tuple(whole.astype(int))] = inner

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        heatmaps, logits = tf.numpy_function(
            self._answers, [image], [tf.float32, tf.float32]
        )
        heatmaps.set_shape([None, None, None, 16])
        logits.set_shape([None, None, None, 20])
        return {keys.HEATMAPS: heatmaps, keys.PARSING_LOGITS: logits}

    def _answers(self, images):
        answers = [self._answer(image) for image in images]
        return tuple(
            np.stack(a).astype(np.float32) for a in zip(*answers, strict=True)
        )

    def _answer(self, image):
        height, width = image.shape[:2]
        row = image[height // 2, :, 0]
        is_mirrored = row[: width // 2].mean() > row[width // 2 :].mean()
        # The input is resized corner on corner.
        inner_xy = self._inner_sizes[height, width][::-1]
        resized = (inner_xy - 1) / self._input_last_xy
        gray = (np.array([width, height]) - inner_xy) / 2
        xy = (self._keypoints_xy - self._last_xy / 2) * self.scale
        xy = (xy + self._input_last_xy / 2) * resized + gray
        if is_mirrored:
            xy[:, 0] = width - 1 - xy[:, 0]
            xy = xy[list(LIP.mirrored_keypoints)]
        centers_x, centers_y = (
            np.arange(side // 4) * 4 + 1.5 for side in (width, height)
        )
        squared = (centers_x[:, None] - xy[:, 0]) ** 2
        squared = squared + (centers_y[:, None, None] - xy[:, 1]) ** 2
        heatmaps = np.exp(-squared / (2 * (7 * resized[0]) ** 2))
        heatmaps[heatmaps < 0.01] = 0
        x = np.linspace(0, width - 1, width // 4)
        if is_mirrored:
            x = width - 1 - x
        x = (x - gray[0]) / resized[0] - self._input_last_xy[0] / 2
        x /= self.scale
        right = x + self._last_xy[0] / 2 - self._border_x
        logits = np.full((height // 4, width // 4, 20), -1e4)
        logits[..., 14 + is_mirrored] = -right
        logits[..., 15 - is_mirrored] = right
        return heatmaps, logits


class OracleTest(parameterized.TestCase):
    @parameterized.parameters(
        (False, (1.0,), 0.1),
        (True, (1.0,), 0.1),
        # Of a cell of the smallest heatmap, 8 pixels.
        (True, (0.5, 0.75, 1.0, 1.25, 1.5), 1.0),
    )
    def test_joints_and_parts_of_any_picture_come_back(
        self, flip, scales, tolerance
    ):
        random = np.random.default_rng(5)
        input_size = (192, 160)
        for size in ((192, 160), (293, 140), (51, 333), (601, 500)):
            last_xy = np.subtract(size[::-1], 1)
            # Anywhere, in the corners too.
            keypoints_xy = random.uniform(0, last_xy, (16, 2))
            keypoints_xy[:4] = [(0, 0), last_xy, (0, last_xy[1]), (3.5, 2.25)]
            border_x = 0.4 * last_xy[0] + 0.3
            oracle = _Oracle(size, input_size, keypoints_xy, border_x, scales)
            graph = serving_graph.ServingGraph(
                oracle, [], LIP, input_size, flip, scales
            )
            ramp = np.linspace(0, 255, size[1], dtype=np.float32)
            image = np.broadcast_to(ramp[:, None], (1, *size, 3))

            answer = graph.predict_tensor(tf.constant(image))

            np.testing.assert_allclose(
                answer["keypoints_xy"][0],
                keypoints_xy,
                atol=tolerance / oracle.scale,
            )
            x = np.arange(size[1])
            is_clear = np.abs(x - border_x) > 0.05 / oracle.scale
            np.testing.assert_array_equal(
                np.array(answer["label_map"])[0][:, is_clear],
                np.broadcast_to(np.where(x < border_x, 14, 15), size)[
                    :, is_clear
                ],
            )


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

    def test_tensor_without_pixels_is_refused(self):
        for size in ((0, 0), (0, 5), (5, 0)):
            with self.assertRaisesRegex(
                tf.errors.InvalidArgumentError, "image has no pixels"
            ):
                self.graph.predict_tensor(tf.zeros((2, *size, 3)))

    def test_values_that_are_no_pixels_cost_their_picture_alone(self):
        graph = predictor.graph_of(stand_in.StandIn(), LIP, _SIZE)
        images = np.random.default_rng(4).uniform(0, 255, (7, 40, 30, 3))
        images = images.astype(np.float32)
        images[0, 0, 0] = (-64, 319, 0)
        whole = graph.predict_tensor(tf.constant(images))
        bad = {1: np.nan, 2: np.inf, 3: -np.inf, 4: -65.0, 5: 320.0}
        for index, value in bad.items():
            images[index, 7, 9, 1] = value

        outputs = graph.predict_tensor(tf.constant(images))

        np.testing.assert_array_equal(whole["status"], [0] * 7)
        np.testing.assert_array_equal(outputs["status"], [0, 4, 4, 4, 4, 4, 0])
        self.assertEqual(set(outputs), set(whole))
        for name, values in whole.items():
            for index in (0, 6):
                np.testing.assert_array_equal(
                    outputs[name][index], values[index]
                )
        for index in bad:
            np.testing.assert_array_equal(outputs["label_map"][index], 255)
            for name in ("keypoints_xy", "keypoint_scores", "image_size"):
                np.testing.assert_array_equal(outputs[name][index], 0)

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


if __name__ == "__main__":
    absltest.main()
