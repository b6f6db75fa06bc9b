"""Paths by which notebooks and programs of others read records."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf import config
from nppnet_tf.data import images
from nppnet_tf.data import pipeline
from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.tfrecord import RecordSet
from nppnet_tf.pictures import picture_files
from tests.data import sample_records


class ImportPathsTest(absltest.TestCase):
    def test_records_pictures_and_batches_are_read_by_paths_that_stay(self):
        written = sample_records.make_records(2)
        folder = pathlib.Path(self.create_tempdir().full_path, "records")
        record_writer.write_records(written, folder, LIP, 1)

        records = RecordSet.open(folder)

        self.assertEqual(
            [record.image_bytes for record in records],
            [record.image_bytes for record in written],
        )
        pixels = images.decode(records.read(0).image_bytes)
        self.assertEqual(pixels.shape, (40, 24, 3))
        inputs = config.InputConfig(image_size=(64, 64), batch_size=1)
        batch = next(
            pipeline.make_dataset(
                records, inputs, training=False
            ).as_numpy_iterator()
        )
        self.assertEqual(batch["image"].shape, (1, 64, 64, 3))

    def test_label_maps_are_read_as_they_are_written(self):
        labels = np.arange(12, dtype=np.uint8).reshape(3, 4)

        read = images.decode_label_map(picture_files.encode_png(labels))

        np.testing.assert_array_equal(read, labels)


if __name__ == "__main__":
    absltest.main()
