"""Tests of nppnet_tf.data.records.record_sample."""

import pathlib
import pickle

from absl.testing import absltest

from nppnet_tf.data.damage import BadRecordError
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_sample
from nppnet_tf.data.records import record_writer
from tests.data import sample_records


class SourceTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path) / "records"
        self.records = sample_records.make_records(3)
        record_writer.write_records(
            self.records, self.folder, LIP, 2, facts={"split": "val"}
        )

    def test_samples_are_the_records_also_in_another_process(self):
        source = record_sample.source(self.folder)

        self.assertEqual(source.descriptor, LIP)
        self.assertEqual(source.facts, {"dataset": None, "split": "val"})
        for sample, record in zip(source.samples, self.records, strict=True):
            sample = pickle.loads(pickle.dumps(sample))
            self.assertEqual(sample.record_id, record.record_id)
            sample_records.assert_same(self, sample.load(), record)
            self.assertTrue(sample.paths[0].is_file())
        digests = {sample.digest() for sample in source.samples}
        self.assertLen(digests, 3)

    def test_damaged_record_is_named(self):
        sample = record_sample.source(self.folder).samples[0]
        sample_records.flip_byte(sample.paths[0], 50)

        with self.assertRaisesRegex(BadRecordError, "id_000: checksum"):
            sample.load()


if __name__ == "__main__":
    absltest.main()
