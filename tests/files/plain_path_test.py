"""Tests of nppnet_tf.files.plain_path."""

import os
import pathlib

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.files import plain_path


class PlainPathTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def test_a_plain_path_is_lent_as_it_is(self):
        with plain_path.plain_path(self.folder) as path:
            self.assertEqual(path, os.fspath(self.folder))

    @parameterized.parameters(
        "[lr=0.001] first", "model*", "a?b", "{a,b}", r"a\b", b"\xb2\xe2"
    )
    def test_a_model_is_saved_and_loaded_by_any_name(self, name):
        folder = self.folder / os.fsdecode(name)
        folder.mkdir()
        module = tf.Module()
        module.variable = tf.Variable(7.0)

        with plain_path.plain_path(folder) as path:
            tf.saved_model.save(module, path)
        with plain_path.plain_path(folder) as path:
            loaded = tf.saved_model.load(path)

        self.assertEqual(loaded.variable.numpy(), 7.0)
        self.assertTrue((folder / "saved_model.pb").is_file())
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    absltest.main()
