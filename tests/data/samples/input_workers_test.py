"""Tests of nppnet_tf.data.samples.input_workers."""

import dataclasses
import functools
import os
import pathlib
import signal

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import InputConfig
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.data.samples import batches
from nppnet_tf.data.samples import input_workers
from nppnet_tf.data.samples import sources
from nppnet_tf.errors import UserError
from tests import processes
from tests.data import sample_records

_THREADS = InputConfig(
    image_size=(32, 32),
    batch_size=2,
    heatmap_sigma=2.0,
    max_bad_records=1,
    input_workers=0,
)
_WORKERS = dataclasses.replace(_THREADS, input_workers=2)


def _arrays(dataset):
    return list(dataset.as_numpy_iterator())


class InputWorkersTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "records"
        record_writer.write_records(
            sample_records.make_records(8), self.folder, LIP, 2
        )
        self.record_set = RecordSet.open(self.folder)

    @classmethod
    def tearDownClass(cls):
        input_workers.close()
        super().tearDownClass()

    def damage(self, *numbers):
        """Damages records on disk and opens them anew."""
        for number in numbers:
            entry = self.record_set._index[number]
            sample_records.flip_byte(
                self.record_set.shard_of(number), entry.offset + 50
            )
        self.record_set = RecordSet.open(self.folder)

    @parameterized.named_parameters(
        ("training", batches.make_dataset, {"training": True}),
        ("validation", batches.make_dataset, {"training": False}),
        ("search", batches.make_search_dataset, {}),
    )
    def test_batches_are_those_of_threads_from_any_step_on(
        self, make, arguments
    ):
        make = functools.partial(
            make, self.record_set, first_epoch=1, num_epochs=2, **arguments
        )

        expected, made = (_arrays(make(c)) for c in (_THREADS, _WORKERS))
        resumed = _arrays(make(_WORKERS, first_step=1))

        for one, other in ((expected, made), (expected[1:], resumed)):
            self.assertLen(other, len(one))
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)

    def test_batch_stays_what_it_is_while_others_are_made(self):
        dataset = batches.make_dataset(
            self.record_set, _WORKERS, training=True, num_epochs=4
        )

        held = list(dataset)

        for batch, copy in zip(held, _arrays(dataset), strict=True):
            tf.nest.map_structure(
                np.testing.assert_array_equal,
                tf.nest.map_structure(lambda value: value.numpy(), batch),
                copy,
            )

    def test_damaged_record_is_replaced_and_named_once_and_here(self):
        self.damage(3)
        make = functools.partial(
            batches.make_dataset, training=True, num_epochs=3
        )
        expected = _arrays(make(RecordSet.open(self.folder), _THREADS))

        with self.assertLogs(level="WARNING") as logged:
            made = _arrays(make(self.record_set, _WORKERS))

        tf.nest.map_structure(np.testing.assert_array_equal, expected, made)
        self.assertRegex("\n".join(logged.output), "^[^\n]*id_003[^\n]*$")
        (bad,) = self.record_set.damage.bad_records
        self.assertEqual(bad.record_id, "id_003")

    @parameterized.parameters(True, False)
    def test_too_many_damaged_records_stop_the_run(self, training):
        self.damage(1, 2, 3)
        dataset = batches.make_dataset(
            self.record_set, _WORKERS, training, num_epochs=3
        )

        with self.assertRaisesRegex(
            UserError, "too many damaged records.*at most 1.*id_00[123]: check"
        ):
            with batches.report_damage(self.record_set):
                _arrays(dataset)

    def test_record_without_any_good_one_is_told(self):
        self.damage(*range(8))
        config = dataclasses.replace(_WORKERS, max_bad_records=8)
        dataset = batches.make_dataset(self.record_set, config, True)

        with self.assertRaisesRegex(UserError, "no record can be read"):
            with batches.report_damage(self.record_set):
                _arrays(dataset)

    def test_what_is_no_fault_of_the_data_keeps_its_traceback(self):
        source = sources.ValidationSource(self.record_set, _WORKERS)
        source.config = dataclasses.replace(_WORKERS, sampling="nearest")
        make_batch = input_workers.shared(2).batches(source)

        with self.assertRaisesRegex(RuntimeError, "Traceback(.|\n)*'nearest'"):
            make_batch(0, 0)

    def test_processes_hold_no_tensorflow(self):
        _arrays(batches.make_dataset(self.record_set, _WORKERS, True))

        found = processes.children("input_worker")

        self.assertLen(found, 2)
        for process in found:
            maps = pathlib.Path(f"/proc/{process}/maps").read_text()
            self.assertIn("numpy", maps)
            self.assertNotIn("tensorflow", maps)

    def test_killed_process_is_told_and_others_take_its_place(self):
        dataset = batches.make_dataset(
            self.record_set, _WORKERS, training=True, num_epochs=1000
        )
        iterator = iter(dataset)
        next(iterator)
        os.kill(processes.children("input_worker")[0], signal.SIGKILL)

        with self.assertRaisesRegex(UserError, "killed.*`input_workers`=2"):
            with batches.report_damage(self.record_set):
                for _ in range(1000):
                    next(iterator)
        del iterator
        input_workers.close()
        self.assertEmpty(processes.children("input_worker"))
        again = RecordSet.open(self.folder)
        self.assertLen(
            _arrays(batches.make_dataset(again, _WORKERS, training=True)), 4
        )

    def test_processes_of_a_block_end_with_it(self):
        input_workers.close()

        with input_workers.ended_after():
            _arrays(batches.make_dataset(self.record_set, _WORKERS, True))
            self.assertLen(processes.children("input_worker"), 2)

        self.assertEmpty(processes.children("input_worker"))


class DefaultCountTest(parameterized.TestCase):
    @parameterized.parameters((1, 0), (2, 0), (4, 2), (16, 8), (64, 8))
    def test_few_cores_take_threads_and_many_half_of_them(self, cores, count):
        self.assertEqual(input_workers.default_count(cores), count)


if __name__ == "__main__":
    absltest.main()
