"""Tests of nppnet_tf.importing.imported_run; tools/import_npp_test has more."""

import pathlib

import numpy as np
from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.importing import imported_run
from nppnet_tf.importing import state_dict
from nppnet_tf.importing import torch_writer
from nppnet_tf.inference import predictor
from nppnet_tf.models.nppnet import NPPNet


class ImportedRunTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / "imported"
        cls.folder.mkdir(parents=True, exist_ok=True)
        cls.path = cls.folder / "file.pth"
        cls.network = NPPNet.from_preset(
            "released", channels=8, cells=4, num_classes=3, num_keypoints=5
        )
        entries = state_dict.network_entries(cls.network)
        torch_writer.write(cls.path, state_dict.to_state_dict(entries))
        cls.imported = imported_run.read(cls.path)

    def test_a_run_is_written_and_has_the_weights_of_the_file(self):
        output = pathlib.Path(self.create_tempdir().full_path) / "run"

        imported_run.write(output, self.imported, (32, 64))

        network, descriptor, size = predictor.load_run(output)
        self.assertEqual(size, (32, 64))
        self.assertEqual(descriptor, self.imported.descriptor)
        for loaded, original in zip(
            network.weights, self.network.weights, strict=True
        ):
            np.testing.assert_array_equal(loaded, original)

    def test_classes_and_joints_of_nobody_get_numbers(self):
        descriptor = self.imported.descriptor

        self.assertEqual(descriptor.classes, ("class_0", "class_1", "class_2"))
        self.assertLen(descriptor.keypoints, 5)
        self.assertLen(set(descriptor.palette), 3)

    def test_another_descriptor_is_refused(self):
        with self.assertRaisesRegex(UserError, "`descriptor`=lip.*3 classes"):
            imported_run.read(self.path, descriptor="lip")


if __name__ == "__main__":
    absltest.main()
