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


if __name__ == "__main__":
    absltest.main()
