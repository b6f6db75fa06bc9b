"""Tests of nppnet_tf.data.readers.datasets."""

import pathlib
import pickle

from absl.testing import absltest

from nppnet_tf.data.readers import datasets
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from tests.data import sample_records


class ReadTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)
        self.records = sample_records.make_records(2)
        sample_records.write_lip(self.root, self.records)

    def test_split_and_dataset_are_among_the_facts(self):
        source = datasets.read("lip", [self.root])

        self.assertEqual(source.descriptor.name, "lip")
        self.assertEqual(source.facts["dataset"], "lip")
        self.assertEqual(source.facts["split"], "train")

    def test_samples_can_be_pickled_for_other_processes(self):
        samples = datasets.read("lip", [self.root], "train").samples

        copies = pickle.loads(pickle.dumps(samples))

        for sample, copy in zip(samples, copies, strict=True):
            self.assertEqual(copy.digest(), sample.digest())
            self.assertEqual(copy.paths, sample.paths)
            self.assertEqual(copy.load().image_bytes, sample.load().image_bytes)

    def test_paths_are_the_files_of_the_sample(self):
        sample = datasets.read("lip", [self.root], "train").samples[0]

        self.assertEqual(
            [str(path.relative_to(self.root)) for path in sample.paths],
            [
                "TrainVal_images/train_images/id_000.jpg",
                "TrainVal_parsing_annotations/train_segmentations/id_000.png",
            ],
        )

    def test_other_count_than_published_is_noted(self):
        (note,) = datasets.read("lip", [self.root], "train").notes

        self.assertRegex(
            note, "number of samples of train.*expected: 30462; found: 2"
        )

    def test_other_count_than_published_is_refused_where_asked(self):
        with self.assertRaisesRegex(UserError, "expected: 30462; found: 2"):
            datasets.read("lip", [self.root], "train", Options(strict=True))

    def test_unknown_names_are_told(self):
        with self.assertRaisesRegex(UserError, "unknown data set.*lip"):
            datasets.read("coco-17", [self.root])
        with self.assertRaisesRegex(UserError, "unknown split.*found: dev"):
            datasets.read("lip", [self.root], "dev")
        with self.assertRaisesRegex(UserError, "several folders"):
            datasets.read("lip", [self.root, self.root])
        with self.assertRaisesRegex(UserError, "does not take.*`people`"):
            datasets.read("lip", [self.root], None, Options(people="x"))


if __name__ == "__main__":
    absltest.main()
