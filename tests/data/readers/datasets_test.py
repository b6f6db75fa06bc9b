"""Tests of nppnet_tf.data.readers.datasets."""

import pathlib
import pickle
import shutil

from absl.testing import absltest

from nppnet_tf.data import descriptors
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.source import Options
from nppnet_tf.errors import UserError
from tests.data import labelme_trees
from tests.data import person_trees
from tests.data import sample_records


def _write_lip(root):
    sample_records.write_lip(root, sample_records.make_records(2))


def _write_pascal(root):
    person_trees.write(root, ["a", "b"])


def _write_cihp(root):
    person_trees.write(root / "pascal", ["a", "b"])
    place = root / "Training"
    place.mkdir()
    for name, found in (
        ("Images", "JPEGImages"),
        ("Category_ids", "SegmentationPart"),
        ("Human_ids", "Instances"),
    ):
        shutil.move(root / "pascal" / found, place / name)


def _write_folder(root):
    person_trees.write_coco(root, ["a", "b"])
    (root / "train_id.txt").write_text("a\nb\n")


def _write_labelme(root):
    for name in "ab":
        labelme_trees.write(root / f"{name}.json", labelme_trees.shapes())
    (root / "train_id.txt").write_text("a\nb\n")


# For every row of the registry, what writes two pictures of "train" as they
# lie on disk, and whose classes and joints they have.
_LAYOUTS = {
    "lip": (_write_lip, "lip"),
    "pascal_person_part": (_write_pascal, "pascal_person_part"),
    "cihp": (_write_cihp, "cihp"),
    "folder": (_write_folder, "pascal_person_part"),
    "labelme": (_write_labelme, "lip"),
}


class RegistryTest(absltest.TestCase):
    """What every data set keeps; goes red for a row that has no layout."""

    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir().full_path)

    def _written(self, name):
        root = self.root / name
        root.mkdir()
        write, descriptor = _LAYOUTS[name]
        write(root)
        return root, descriptors.get(descriptor)

    def test_every_row_has_a_layout(self):
        self.assertCountEqual(_LAYOUTS, datasets.READERS)

    def test_every_data_set_is_read_from_its_layout(self):
        for name in datasets.NAMES:
            root, descriptor = self._written(name)
            with self.subTest(name):
                options = Options()
                if name == "folder":
                    options = Options(people="boxes", descriptor=descriptor)
                source = datasets.read(name, [root], "train", options)
                records = [
                    sample.load()
                    for sample in pickle.loads(pickle.dumps(source.samples))
                ]

                self.assertNotEmpty(records)
                self.assertEqual(source.descriptor, descriptor)
                self.assertEqual(source.facts["dataset"], name)
                self.assertEqual(source.facts["split"], "train")
                for record in records:
                    self.assertLess(
                        record.label_map.max(), descriptor.num_classes
                    )
                    if record.visibility is not None:
                        self.assertLen(
                            record.visibility, descriptor.num_keypoints
                        )

    def test_whole_pictures_are_read_where_samples_are_people(self):
        for name, reader in datasets.READERS.items():
            root, descriptor = self._written(name)
            with self.subTest(name):
                arguments = (name, root, "train", descriptor)
                if reader.read_pictures is None:
                    with self.assertRaisesRegex(
                        UserError, f"expected: .* or .*; found: {name}"
                    ):
                        datasets.read_pictures(*arguments)
                else:
                    pictures = datasets.read_pictures(*arguments)

                    self.assertLen(pictures, 2)
                    for picture in pictures:
                        self.assertLess(
                            picture.label_map().max(), descriptor.num_classes
                        )


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
