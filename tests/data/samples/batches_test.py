"""Tests of nppnet_tf.data.samples.batches."""

import contextlib
import dataclasses
import functools
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import keys
from nppnet_tf.config import InputConfig
from nppnet_tf.config import Share
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.data.samples import sources
from nppnet_tf.errors import UserError
from nppnet_tf.pictures import picture_files
from nppnet_tf.pictures import pixels
from tests import two_replicas
from tests.data import sample_records
from tests.shared import shared_path

_CONFIG = InputConfig(image_size=(32, 32), batch_size=2, heatmap_sigma=2.0)
_COUNT = 7

# A keypoint that tells the record apart, in pictures that stay as they are.
_STILL = {
    "scale_range": (1.0, 1.0),
    "rotation_degrees": 0.0,
    "centre_jitter": 0.0,
    "flip_probability": 0.0,
}


def _numbered_records(count):
    """Records of 32 x 32 whose first keypoint says their number."""
    records = []
    for number in range(count):
        record = sample_records.make_record(number, (32, 32))
        record.keypoints_xy[0] = (number, 0)
        record.visibility[0] = 2
        records.append(record)
    return records


def _numbers(made):
    """Numbers of the records in batches of unmoved pictures."""
    return [
        int(round(float(x)))
        for batch in made
        for x in batch[keys.KEYPOINTS_XY][:, 0, 0]
    ]


def _arrays(dataset):
    return list(dataset.as_numpy_iterator())


@contextlib.contextmanager
def _count_reads(record_set):
    """Lends a list that takes the number of every record that is read."""
    numbers = []
    read = record_set.read

    def counted(number):
        numbers.append(number)
        return read(number)

    with mock.patch.object(record_set, "read", counted):
        yield numbers


class _BatchesTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "records"

    def write(self, records):
        return record_writer.write_records(records, self.folder, LIP, 2)

    def damage(self, record_set, *numbers):
        """Damages records on disk and opens them anew."""
        for number in numbers:
            entry = record_set._index[number]
            sample_records.flip_byte(
                record_set._shards[entry.shard], entry.offset + 50
            )
        return RecordSet.open(record_set.directory)

    def assert_same(self, first, second):
        self.assertLen(first, len(second))
        for one, other in zip(first, second, strict=True):
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)


class MakeDatasetTest(_BatchesTestCase):
    def setUp(self):
        super().setUp()
        self.record_set = self.write(_numbered_records(_COUNT))
        self.make = functools.partial(
            batches.make_dataset, self.record_set, training=True
        )
        self.still = dataclasses.replace(_CONFIG, **_STILL)

    def test_batches_have_the_keys_types_and_static_shapes(self):
        expected = {
            keys.IMAGE: ((2, 32, 32, 3), tf.float32),
            keys.LABEL_MAP: ((2, 32, 32), tf.int32),
            keys.BOUNDARY_MAP: ((2, 32, 32), tf.int32),
            keys.HEATMAPS: ((2, 8, 8, 16), tf.float32),
            keys.AUXILIARY_HEATMAPS: ((2, 8, 8, 16), tf.float32),
            keys.KEYPOINTS_XY: ((2, 16, 2), tf.float32),
            keys.VISIBILITY: ((2, 16), tf.int32),
            keys.HAS_LABEL_MAP: ((2,), tf.float32),
            keys.HAS_KEYPOINTS: ((2,), tf.float32),
        }

        dataset = self.make(_CONFIG, num_epochs=2)

        specification = {
            name: (tuple(spec.shape), spec.dtype)
            for name, spec in dataset.element_spec.items()
        }
        self.assertEqual(specification, expected)
        self.assertEqual(int(dataset.cardinality()), 6)
        self.assertLen(_arrays(dataset), 6)

    def test_validation_shows_the_records_as_they_are(self):
        record = self.record_set.read(0)

        batch = _arrays(self.make(_CONFIG, training=False))[0]

        np.testing.assert_allclose(
            batch[keys.IMAGE][0],
            pixels.normalize(picture_files.decode(record.image_bytes)),
            atol=1e-5,
        )
        np.testing.assert_array_equal(
            batch[keys.LABEL_MAP][0], record.label_map
        )
        np.testing.assert_allclose(
            batch[keys.KEYPOINTS_XY][0], record.keypoints_xy, atol=1e-5
        )

    def test_released_sampling_is_for_training_only(self):
        released = dataclasses.replace(_CONFIG, sampling="released")

        ours, theirs = (_arrays(self.make(c))[0] for c in (_CONFIG, released))
        shown = [
            _arrays(self.make(c, training=False))[0]
            for c in (_CONFIG, released)
        ]

        distance = np.abs(ours[keys.KEYPOINTS_XY] - theirs[keys.KEYPOINTS_XY])
        self.assertBetween(distance.max(), 1e-3, 2.0)
        self.assert_same(shown[:1], shown[1:])

    def test_unknown_sampling_is_told(self):
        config = dataclasses.replace(_CONFIG, sampling="nearest")

        with self.assertRaisesRegex(UserError, "one_warp or released"):
            self.make(config)

    def test_same_seed_gives_the_same_batches(self):
        self.assert_same(
            _arrays(self.make(_CONFIG)), _arrays(self.make(_CONFIG))
        )

    def test_machines_make_together_what_one_makes(self):
        config = dataclasses.replace(_CONFIG, batch_size=4)
        (whole,) = _arrays(self.make(config))

        # Two parts, each of one sample of every machine.
        halves = [
            _arrays(
                self.make(
                    dataclasses.replace(config, share=Share(worker, 2, 2))
                )
            )[0]
            for worker in range(2)
        ]

        together = tf.nest.map_structure(
            lambda first, second: np.stack([first, second], 1).reshape(
                -1, *first.shape[1:]
            ),
            *halves,
        )
        self.assert_same([together], [whole])

    def test_another_seed_gives_other_batches(self):
        other = dataclasses.replace(_CONFIG, seed=1)

        first, second = (
            np.stack([batch[keys.IMAGE] for batch in _arrays(self.make(c))])
            for c in (_CONFIG, other)
        )

        self.assertFalse(np.array_equal(first, second))

    def test_resumed_epoch_equals_the_uninterrupted_one(self):
        whole = _arrays(self.make(_CONFIG, num_epochs=3))

        resumed = _arrays(self.make(_CONFIG, first_epoch=1, num_epochs=2))

        self.assert_same(resumed, whole[3:])

    @parameterized.parameters(0, 1, 2, 3)
    def test_resumed_step_equals_the_uninterrupted_one(self, first_step):
        whole = _arrays(self.make(_CONFIG, num_epochs=3))

        with _count_reads(self.record_set) as numbers:
            resumed = _arrays(
                self.make(
                    _CONFIG, first_epoch=1, num_epochs=2, first_step=first_step
                )
            )

        self.assert_same(resumed, whole[3 + first_step :])
        # Two samples a step, and none of the steps that were left out.
        self.assertLen(numbers, 2 * (6 - first_step))

    def test_resumed_step_of_validation_starts_at_its_records(self):
        whole = _arrays(self.make(_CONFIG, training=False))

        with _count_reads(self.record_set) as numbers:
            resumed = _arrays(self.make(_CONFIG, training=False, first_step=2))

        self.assert_same(resumed, whole[2:])
        self.assertCountEqual(numbers, [4, 5, 6])

    def test_step_that_no_epoch_has_is_refused(self):
        with self.assertRaisesRegex(ValueError, r"steps 0\.\.3.*first_step=4"):
            self.make(_CONFIG, first_step=4)

    def test_batch_stays_what_it_is_while_others_are_made(self):
        # The memory of a batch is used again, but not while it is held.
        config = dataclasses.replace(_CONFIG, batch_size=1)
        dataset = self.make(config, num_epochs=4)
        held = list(dataset)

        copies = [
            {name: value.numpy().copy() for name, value in batch.items()}
            for batch in dataset
        ]

        self.assert_same(held, copies)

    def test_epochs_differ_in_order_and_each_shows_a_record_once(self):
        epochs = [
            _numbers(_arrays(self.make(self.still, first_epoch=epoch)))
            for epoch in range(6)
        ]

        for numbers in epochs:
            self.assertLen(set(numbers), 6)
        self.assertGreater(len({tuple(numbers) for numbers in epochs}), 4)
        # The record that fills no batch is another one in another epoch.
        self.assertEqual(set().union(*epochs), set(range(_COUNT)))

    def test_transforms_differ_between_epochs(self):
        config = dataclasses.replace(_CONFIG, batch_size=_COUNT)

        first, second = _arrays(self.make(config, num_epochs=2))

        self.assertFalse(
            np.array_equal(
                np.sort(first[keys.IMAGE].sum(axis=(1, 2, 3))),
                np.sort(second[keys.IMAGE].sum(axis=(1, 2, 3))),
            )
        )

    def test_validation_is_in_order_and_filled_up_with_empty_samples(self):
        made = _arrays(self.make(self.still, training=False))

        self.assertLen(made, 4)
        self.assertEqual(_numbers(made)[:_COUNT], list(range(_COUNT)))
        np.testing.assert_array_equal(made[-1][keys.HAS_LABEL_MAP], [1, 0])
        np.testing.assert_array_equal(made[-1][keys.HAS_KEYPOINTS], [1, 0])
        self.assertEqual(set(made[-1][keys.LABEL_MAP][1].ravel()), {255})

    def test_damaged_record_is_replaced_and_the_rest_stays(self):
        good = _numbers(_arrays(self.make(self.still, num_epochs=2)))
        record_set = self.damage(self.record_set, 3)
        config = dataclasses.replace(self.still, max_bad_records=1)

        numbers = _numbers(
            _arrays(
                batches.make_dataset(record_set, config, True, num_epochs=2)
            )
        )

        self.assertNotIn(3, numbers)
        self.assertEqual(
            [n for n, g in zip(numbers, good, strict=True) if g != 3],
            [g for g in good if g != 3],
        )
        (bad,) = record_set.damage.bad_records
        self.assertEqual(bad.record_id, "id_003")

    def test_damaged_record_is_an_empty_sample_in_validation(self):
        record_set = self.damage(self.record_set, 1)
        config = dataclasses.replace(self.still, max_bad_records=1)

        made = _arrays(batches.make_dataset(record_set, config, False))

        np.testing.assert_array_equal(made[0][keys.HAS_LABEL_MAP], [1, 0])

    @parameterized.parameters(True, False)
    def test_too_many_damaged_records_stop_the_run(self, training):
        record_set = self.damage(self.record_set, 1, 2, 3)
        config = dataclasses.replace(self.still, max_bad_records=1)
        dataset = batches.make_dataset(
            record_set, config, training, num_epochs=3
        )

        with self.assertRaisesRegex(
            UserError, "too many damaged records.*at most 1.*id_00[123]: check"
        ):
            with batches.report_damage(record_set):
                _arrays(dataset)

    def test_picture_that_cannot_be_decoded_is_named(self):
        record = self.record_set.read(0)
        torn = dataclasses.replace(record, image_bytes=b"\xff\xd8\xff")
        source = sources.ValidationSource(self.record_set, _CONFIG)
        source.record_set.read = lambda number: torn

        with self.assertRaisesRegex(
            UserError, "record id_000: picture is damaged.*records-00000"
        ):
            source(0, 0)

    def test_errors_of_others_pass_through(self):
        with self.assertRaisesRegex(tf.errors.NotFoundError, "elsewhere"):
            with batches.report_damage(self.record_set):
                raise tf.errors.NotFoundError(None, None, "elsewhere")

    def test_fewer_records_than_a_batch_are_told(self):
        config = dataclasses.replace(_CONFIG, batch_size=8)

        with self.assertRaisesRegex(UserError, "at least 8.*found: 7"):
            self.make(config)

    def test_input_size_that_does_not_fit_is_told(self):
        config = dataclasses.replace(_CONFIG, image_size=(40, 32))

        with self.assertRaisesRegex(UserError, "of 32; found: 40 x 32"):
            self.make(config)

    def test_batch_that_replicas_cannot_share_is_told(self):
        with self.assertRaisesRegex(UserError, "multiple of 3; found: 2"):
            self.make(_CONFIG, num_replicas=3)


class MissingAnnotationsTest(_BatchesTestCase):
    def test_sample_may_lack_its_label_map_or_its_pose(self):
        record_set = self.write(
            [
                sample_records.make_record(0, with_label_map=False),
                sample_records.make_record(1, with_pose=False),
            ]
        )

        (batch,) = _arrays(batches.make_dataset(record_set, _CONFIG, False))

        np.testing.assert_array_equal(batch[keys.HAS_LABEL_MAP], [0, 1])
        np.testing.assert_array_equal(batch[keys.HAS_KEYPOINTS], [1, 0])
        self.assertEqual(set(batch[keys.LABEL_MAP][0].ravel()), {255})
        self.assertEqual(set(batch[keys.BOUNDARY_MAP][0].ravel()), {255})
        self.assertGreater(batch[keys.HEATMAPS][0].max(), 0)
        self.assertEqual(batch[keys.HEATMAPS][1].max(), 0)
        self.assertEqual(batch[keys.AUXILIARY_HEATMAPS][1].max(), 0)
        self.assertEqual(batch[keys.VISIBILITY][1].max(), 0)


class MakeSearchDatasetTest(_BatchesTestCase):
    def setUp(self):
        super().setUp()
        self.record_set = self.write(_numbered_records(8))
        self.config = dataclasses.replace(_CONFIG, **_STILL)

    def _halves(self, config, **options):
        elements = _arrays(
            batches.make_search_dataset(self.record_set, config, **options)
        )
        return [
            set(_numbers([element[name] for element in elements]))
            for name in (keys.WEIGHT_SPLIT, keys.ARCHITECTURE_SPLIT)
        ]

    def test_halves_are_disjoint_and_cover_everything(self):
        weight, architecture = self._halves(self.config)

        self.assertEqual((len(weight), len(architecture)), (4, 4))
        self.assertEqual(weight | architecture, set(range(8)))

    def test_halves_stay_the_same_in_every_epoch(self):
        self.assertEqual(
            self._halves(self.config),
            self._halves(self.config, first_epoch=5, num_epochs=2),
        )

    def test_another_seed_divides_otherwise(self):
        halves = {
            tuple(self._halves(dataclasses.replace(self.config, seed=s))[0])
            for s in range(4)
        }

        self.assertGreater(len(halves), 1)

    def test_resumed_epoch_equals_the_uninterrupted_one(self):
        make = functools.partial(
            batches.make_search_dataset, self.record_set, _CONFIG
        )

        self.assert_same(
            _arrays(make(first_epoch=1)), _arrays(make(num_epochs=2))[2:]
        )

    def test_resumed_step_equals_the_uninterrupted_one(self):
        make = functools.partial(
            batches.make_search_dataset, self.record_set, _CONFIG, num_epochs=2
        )
        whole = _arrays(make())

        with _count_reads(self.record_set) as numbers:
            resumed = _arrays(make(first_step=1))

        self.assert_same(resumed, whole[1:])
        # Of both halves.
        self.assertLen(numbers, 2 * 2 * 3)

    def test_steps_are_those_of_one_half(self):
        steps = batches.steps_per_epoch(
            self.record_set, self.config, search=True
        )

        dataset = batches.make_search_dataset(self.record_set, self.config)
        self.assertEqual(steps, 2)
        self.assertEqual(int(dataset.cardinality()), 2)

    def test_half_smaller_than_a_batch_is_told(self):
        config = dataclasses.replace(self.config, batch_size=5)

        with self.assertRaisesRegex(UserError, "at least 10 for batches of 5"):
            batches.make_search_dataset(self.record_set, config)


class EndTest(_BatchesTestCase):
    def test_no_thread_has_to_be_woken_where_an_epoch_ends(self):
        # The one that tunes a dataset sleeps up to a minute, and misses the
        # word that its iterator ends about one time in eight.
        record_set = self.write(_numbered_records(8))

        datasets = [
            batches.make_dataset(record_set, _CONFIG, training=True),
            batches.make_dataset(record_set, _CONFIG, training=False).take(1),
            batches.make_search_dataset(record_set, _CONFIG).take(1),
        ]

        for dataset in datasets:
            self.assertIs(dataset.options().autotune.enabled, False)


class DistributedTest(_BatchesTestCase):
    def test_two_replicas_share_the_batches_of_one(self):
        record_set = self.write(_numbered_records(8))
        config = dataclasses.replace(_CONFIG, batch_size=4)
        make = functools.partial(
            batches.make_search_dataset, record_set, config, num_replicas=2
        )
        strategy = two_replicas.strategy()

        distributed = strategy.experimental_distribute_dataset(make())
        shared = [
            np.concatenate(
                [
                    replica.numpy()
                    for replica in strategy.experimental_local_results(
                        element[keys.WEIGHT_SPLIT][keys.IMAGE]
                    )
                ]
            )
            for element in distributed
        ]

        alone = [e[keys.WEIGHT_SPLIT][keys.IMAGE] for e in _arrays(make())]
        np.testing.assert_array_equal(shared, alone)


class RealPicturesTest(_BatchesTestCase):
    def test_real_lip_pictures_become_batches(self):
        roots = [
            shared_path(f"samples/{name}")
            for name in ("lip_mmseg", "lip_jppnet", "lip_alexis97")
        ]
        samples = datasets.read("folder", roots).samples
        record_set = self.write(samples)
        config = InputConfig(image_size=(96, 96), batch_size=8)

        made = _arrays(batches.make_dataset(record_set, config, True))

        self.assertEqual(record_set.manifest["num_notes"], 0)
        self.assertEqual(sum(b[keys.HAS_LABEL_MAP].sum() for b in made), 10)
        self.assertEqual(sum(b[keys.HAS_KEYPOINTS].sum() for b in made), 7)
        self.assertLess(max(abs(b[keys.IMAGE]).max() for b in made), 2.7)


if __name__ == "__main__":
    absltest.main()
