"""A small network learns real pictures by heart, in a hundred steps."""

import pathlib

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from nppnet_tf import keys
from nppnet_tf.config import InputConfig
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import RetrainConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.samples import batches
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.training import retrain
from tests.shared import shared_path

_SIZE = (64, 64)
_STEPS = 20


class OverfitTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        roots = [
            shared_path(f"samples/{name}")
            for name in ("lip_mmseg", "lip_alexis97", "lip_jppnet")
        ]
        samples = datasets.read("folder", roots).samples
        # Four with a pose, of which one has a label map; four with that alone.
        posed = [s for s in samples if s.keypoints_xy is not None][:4]
        labeled = [s for s in samples if s.keypoints_xy is None][:4]
        self.record_set = record_writer.write_records(
            posed + labeled,
            pathlib.Path(self.create_tempdir().full_path) / "records",
            LIP,
            1,
        )

    def _batch(self):
        config = InputConfig(
            image_size=_SIZE,
            batch_size=8,
            heatmap_sigma=4.0,
            scale_range=(1.0, 1.0),
            rotation_degrees=0.0,
            centre_jitter=0.0,
            flip_probability=0.0,
        )
        dataset = batches.make_dataset(self.record_set, config, training=True)
        return next(iter(dataset))

    def test_losses_fall_to_a_fifth_within_200_steps(self):
        batch = self._batch()
        released = published.released()
        model = retrain.make_retrain_model(
            genotypes.Genotype(
                released.encoder_decoder, released.interaction, genotypes.OMIT
            ),
            NetworkConfig(channels=16, cells=4),
            # Every pixel counts, and parsing as much as it weighs.
            LossConfig(min_hard_pixels=10**6, initial_parsing_log_variance=0.0),
            RetrainConfig(learning_rate=1e-2),
            LIP,
            tf.distribute.get_strategy(),
        )
        model.begin_epoch(0)
        one = tf.data.Dataset.from_tensors(batch)

        before = _losses(model.fit(one, shuffle=False, verbose=0))
        for _ in range(200 // _STEPS):
            steps = one.repeat(_STEPS)
            after = _losses(model.fit(steps, shuffle=False, verbose=0))
            if sum(after.values()) < sum(before.values()) / 14:
                break

        self.assertLess(sum(after.values()), sum(before.values()) / 5)
        for name in (keys.POSE_LOSS, keys.PARSING_LOSS):
            self.assertLess(after[name], before[name] / 5, name)
        # What it says of the batch that it has learned, in pixels.
        logits = model.network(batch[keys.IMAGE], training=True)[
            keys.PARSING_LOGITS
        ][-1]
        labels = batch[keys.LABEL_MAP][:, ::4, ::4].numpy()
        is_labeled = (labels != LIP.ignore_label) & (
            batch[keys.HAS_LABEL_MAP].numpy()[:, None, None] > 0
        )
        right = np.argmax(logits, axis=-1) == labels
        self.assertGreater(right[is_labeled].mean(), 0.85)


def _losses(history):
    """The terms by themselves, without their learned weights."""
    return {
        name: history.history[name][-1]
        for name in (
            keys.POSE_LOSS,
            keys.AUXILIARY_POSE_LOSS,
            keys.PARSING_LOSS,
            keys.BOUNDARY_LOSS,
        )
    }


if __name__ == "__main__":
    absltest.main()
