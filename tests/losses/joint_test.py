"""Tests of the whole loss: the release, two replicas, missing annotation."""

from tests import two_replicas  # isort: skip  (before any operation)

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.losses import joint
from nppnet_tf.losses import lovasz
from tests import shared

PREDICTIONS = (
    keys.HEATMAPS,
    keys.AUXILIARY_HEATMAPS,
    keys.PARSING_LOGITS,
    keys.BOUNDARY_LOGITS,
)


def _batch_and_predictions(num_samples=4, num_stages=2, seed=0):
    """Random targets at 16 x 12 and predictions at a quarter of it."""
    generator = np.random.default_rng(seed)
    small, large = (num_samples, 4, 3), (num_samples, 16, 12)
    label_map = generator.integers(0, 5, large).astype(np.int32)
    label_map[generator.random(large) < 0.1] = 255
    boundary_map = (generator.random(large) < 0.3).astype(np.int32)
    boundary_map[label_map == 255] = 255
    batch = {
        keys.HEATMAPS: generator.random((*small, 6), np.float32),
        keys.AUXILIARY_HEATMAPS: generator.random((*small, 6), np.float32),
        keys.LABEL_MAP: label_map,
        keys.BOUNDARY_MAP: boundary_map,
        keys.HAS_KEYPOINTS: np.ones([num_samples], np.float32),
        keys.HAS_LABEL_MAP: np.ones([num_samples], np.float32),
    }
    channels = dict(zip(PREDICTIONS, (6, 6, 5, 2), strict=True))
    predictions = {
        name: tuple(
            2 * generator.normal(size=(*small, channels[name]))
            for _ in range(num_stages)
        )
        for name in PREDICTIONS
    }
    predictions = tf.nest.map_structure(np.float32, predictions)
    return batch, predictions


def _nhwc(array):
    """Moves PyTorch's channels behind height and width."""
    return np.moveaxis(array, -3, -1)


def _config(**changes):
    defaults = {
        "hard_pixel_threshold": 0.3,
        "min_hard_pixels": 400,
        "class_weights": (0.6, 0.8, 1.0, 1.2, 1.4),
    }
    return configuration.LossConfig(**{**defaults, **changes})


def _losses_and_gradients(layer, batch, predictions):
    """Losses and gradients by prediction and by task weight."""
    predictions = tf.nest.map_structure(tf.convert_to_tensor, predictions)
    sources = [
        *tf.nest.flatten(predictions),
        *[weight.value for weight in layer.trainable_variables],
    ]
    with tf.GradientTape() as tape:
        tape.watch(tf.nest.flatten(predictions))
        losses = layer(batch, predictions)
    return losses, tape.gradient(losses[keys.TOTAL_LOSS], sources)


class ReferenceTest(parameterized.TestCase):
    def test_value_and_every_gradient_equal_the_release(self):
        pose = np.load(shared.shared_path("reference/loss_pose.npz"))
        parts = np.load(shared.shared_path("reference/loss_par.npz"))

        def stages(arrays, case, part):
            return tuple(
                _nhwc(arrays[f"{case}/pred_{stage}_{part}"]) for stage in (0, 1)
            )

        weights = np.load(shared.shared_path("reference/ref_losses.npz"))
        layer = joint.JointLoss(
            2,
            configuration.LossConfig(
                class_weights=tuple(weights["weights_lip"].tolist())
            ),
        )
        batch = {
            keys.HEATMAPS: _nhwc(pose["pose_same/target"]),
            keys.AUXILIARY_HEATMAPS: _nhwc(pose["pose_same/target_aux"]),
            keys.LABEL_MAP: parts["par_default/label"].astype(np.int32),
            keys.BOUNDARY_MAP: parts["par_default/edge"].astype(np.int32),
            keys.HAS_KEYPOINTS: np.ones([2], np.float32),
            keys.HAS_LABEL_MAP: np.ones([2], np.float32),
        }
        predictions = {
            keys.HEATMAPS: stages(pose, "pose_same", 0),
            keys.AUXILIARY_HEATMAPS: stages(pose, "pose_same", 1),
            keys.PARSING_LOGITS: stages(parts, "par_default", 0),
            keys.BOUNDARY_LOGITS: stages(parts, "par_default", 1),
        }

        losses, gradients = _losses_and_gradients(layer, batch, predictions)

        total = pose["pose_same/value"] + parts["par_default/value"]
        np.testing.assert_allclose(losses[keys.TOTAL_LOSS], total, rtol=1e-6)
        # Gradients come in the order of the sorted names of predictions.
        expected = [
            _nhwc(arrays[f"{case}/grad_{stage}_{part}"])
            for arrays, case, part in (
                (pose, "pose_same", 1),
                (parts, "par_default", 1),
                (pose, "pose_same", 0),
                (parts, "par_default", 0),
            )
            for stage in (0, 1)
        ]
        for ours, theirs in zip(gradients[:8], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(
            gradients[8:],
            [pose["pose_same/grad_lamda"], parts["par_default/grad_lamda"]],
            rtol=1e-5,
        )

    @parameterized.named_parameters(
        ("default", "par_default", 0.9, 131072),
        ("few_pixels_kept", "par_kept200", 0.9, 200),
        ("lower_threshold", "par_thr07", 0.7, 200),
    )
    def test_equals_the_release_with_learned_weights(
        self, case, threshold, min_hard_pixels
    ):
        arrays = np.load(shared.shared_path("reference/ref_losses.npz"))
        layer = joint.JointLoss(
            2,
            configuration.LossConfig(
                hard_pixel_threshold=threshold,
                min_hard_pixels=min_hard_pixels,
                class_weights=tuple(arrays["weights_lip"].tolist()),
            ),
        )
        layer.set_weights([arrays["pose_lam"], arrays["par_lam"]])
        batch = {
            keys.HEATMAPS: _nhwc(arrays["pose_tm"]),
            keys.AUXILIARY_HEATMAPS: _nhwc(arrays["pose_ta"]),
            keys.LABEL_MAP: arrays["par_label"].astype(np.int32),
            keys.BOUNDARY_MAP: arrays["par_edge"].astype(np.int32),
            keys.HAS_KEYPOINTS: np.ones([3], np.float32),
            keys.HAS_LABEL_MAP: np.ones([3], np.float32),
        }
        names = ("pose_pm", "pose_pa", "par_pp", "par_pe")
        predictions = {
            key: tuple(_nhwc(arrays[name]))
            for key, name in zip(PREDICTIONS, names, strict=True)
        }

        losses, gradients = _losses_and_gradients(layer, batch, predictions)

        total = arrays["pose_loss"] + arrays[f"{case}_loss"]
        np.testing.assert_allclose(losses[keys.TOTAL_LOSS], total, rtol=1e-6)
        for name, term in (
            ("pose_stage", (keys.POSE_LOSS, keys.AUXILIARY_POSE_LOSS)),
            (f"{case}_stage", (keys.PARSING_LOSS, keys.BOUNDARY_LOSS)),
        ):
            np.testing.assert_allclose(
                sum(losses[part] for part in term),
                arrays[name].sum(),
                rtol=1e-6,
            )
        expected = ("pose_pa", f"{case}_pe", "pose_pm", f"{case}_pp")
        for place, name in enumerate(expected):
            np.testing.assert_allclose(
                np.stack(gradients[2 * place : 2 * place + 2]),
                _nhwc(arrays[f"{name}_grad"]),
                rtol=1e-5,
                atol=1e-8,
            )
        np.testing.assert_allclose(
            gradients[8:],
            [arrays["pose_lam_grad"], arrays[f"{case}_lam_grad"]],
            rtol=1e-5,
        )


class JointLossTest(parameterized.TestCase):
    def test_terms_add_up_to_the_total(self):
        layer = joint.JointLoss(
            1,
            _config(
                initial_pose_log_variance=0.0,
                initial_parsing_log_variance=0.0,
            ),
        )

        losses = layer(*_batch_and_predictions(num_stages=1))

        terms = [losses[name] for name in losses if name != keys.TOTAL_LOSS]
        self.assertLen(terms, 4)
        np.testing.assert_allclose(
            losses[keys.TOTAL_LOSS], sum(terms), rtol=1e-6
        )

    def test_lovasz_loss_is_added_to_that_of_parts(self):
        batch, predictions = _batch_and_predictions()
        without, with_it = (
            joint.JointLoss(2, _config(lovasz_weight=weight))(
                batch, predictions
            )
            for weight in (0.0, 0.5)
        )

        added = [
            lovasz.lovasz_loss(
                batch[keys.LABEL_MAP], logits, batch[keys.HAS_LABEL_MAP]
            )
            for logits in predictions[keys.PARSING_LOGITS]
        ]
        np.testing.assert_allclose(
            with_it[keys.PARSING_LOSS],
            without[keys.PARSING_LOSS] + 0.5 * sum(added),
            rtol=1e-6,
        )
        self.assertEqual(
            with_it[keys.BOUNDARY_LOSS], without[keys.BOUNDARY_LOSS]
        )

    def test_half_precision_predictions_are_computed_in_float32(self):
        layer = joint.JointLoss(2, _config())
        batch, predictions = _batch_and_predictions()
        half = tf.nest.map_structure(
            lambda array: tf.cast(array, tf.bfloat16), predictions
        )
        rounded = tf.nest.map_structure(
            lambda array: tf.cast(array, tf.float32), half
        )

        losses = layer(batch, half)

        for name, expected in layer(batch, rounded).items():
            self.assertEqual(losses[name].dtype, tf.float32)
            self.assertEqual(float(losses[name]), float(expected))

    def test_nothing_annotated_gives_zero_and_zero_gradients(self):
        layer = joint.JointLoss(2, _config())
        batch, predictions = _batch_and_predictions()
        batch[keys.HAS_KEYPOINTS] *= 0
        batch[keys.LABEL_MAP][:] = 255
        batch[keys.BOUNDARY_MAP][:] = 255

        losses, gradients = _losses_and_gradients(layer, batch, predictions)

        for loss in losses.values():
            self.assertEqual(float(loss), 0.0)
        for gradient in gradients:
            self.assertFalse(np.any(gradient))

    @parameterized.named_parameters(
        ("complete", (1, 1, 1, 1), (1, 1, 1, 1)),
        ("uneven", (0, 0, 1, 1), (1, 1, 1, 0)),
        ("one_replica_without_labels", (1, 0, 1, 1), (0, 0, 1, 1)),
        ("no_pose_at_all", (0, 0, 0, 0), (0, 1, 0, 0)),
    )
    def test_two_replicas_equal_one(self, has_keypoints, has_label_map):
        batch, predictions = _batch_and_predictions()
        batch[keys.HAS_KEYPOINTS] = np.float32(has_keypoints)
        batch[keys.HAS_LABEL_MAP] = np.float32(has_label_map)
        strategy = two_replicas.strategy()
        with strategy.scope():
            mirrored = joint.JointLoss(2, _config())
        parts = two_replicas.split(strategy, (batch, predictions))

        @tf.function
        def run():
            losses, gradients = strategy.run(
                lambda part: _losses_and_gradients(mirrored, *part),
                args=(parts,),
            )
            losses = tf.nest.map_structure(
                lambda loss: strategy.reduce("SUM", loss, axis=None), losses
            )
            of_predictions = [
                tf.concat(strategy.experimental_local_results(gradient), 0)
                for gradient in gradients[:8]
            ]
            of_weights = [
                strategy.reduce("SUM", gradient, axis=None)
                for gradient in gradients[8:]
            ]
            return losses, [*of_predictions, *of_weights]

        losses, gradients = run()

        expected_losses, expected_gradients = _losses_and_gradients(
            joint.JointLoss(2, _config()), batch, predictions
        )
        for name, expected in expected_losses.items():
            np.testing.assert_allclose(losses[name], expected, rtol=1e-6)
        for ours, expected in zip(gradients, expected_gradients, strict=True):
            np.testing.assert_allclose(ours, expected, atol=1e-6, rtol=1e-6)

    def test_config_makes_an_equal_layer(self):
        layer = joint.JointLoss(1, _config())

        copy = keras.layers.deserialize(keras.layers.serialize(layer))

        self.assertEqual(copy.config, layer.config)
        self.assertEqual(copy.get_config(), layer.get_config())

    def test_task_weights_are_trainable_and_saved(self):
        layer = joint.JointLoss(2)
        values = [np.float32([0.1, 0.2]), np.float32([0.3, 0.4])]

        layer.set_weights(values)

        self.assertLen(layer.trainable_variables, 2)
        self.assertAlmostEqual(
            float(layer.task_weights["parsing_stage_1"]), np.exp(-0.4), places=5
        )

    def test_another_number_of_stages_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: stages=1"):
            joint.JointLoss(2)(*_batch_and_predictions(num_stages=1))

    def test_no_stage_is_refused(self):
        with self.assertRaisesRegex(ValueError, "Received: num_stages=0"):
            joint.JointLoss(0)


if __name__ == "__main__":
    absltest.main()
