"""Tests of serving.model_sources."""

import pathlib
import tempfile

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.serving import model_sources

_WHOLE = """
model_config_list {
  config {
    name: "people"
    base_path: "/models/people"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 1 versions: 3 } }
    version_labels { key: "stable" value: 1 }
  }
}
"""


class ReadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        for version in (1, 2, 3):
            (self.folder / "people" / str(version)).mkdir(parents=True)
        self.file = self.folder / "models.config"

    def _read(self, text):
        self.file.write_text(text)
        return model_sources.read(self.file)

    def test_a_folder_holds_models(self):
        self.file.write_text(_WHOLE)
        (source,) = model_sources.read(self.folder)

        self.assertEqual(source.name, "people")
        self.assertEqual(source.candidates(), [3, 2, 1])
        self.assertEqual(source.most, 1)

    def test_a_folder_of_one_model(self):
        (source,) = model_sources.read(self.folder / "people")

        self.assertEqual(source.name, "people")
        self.assertEqual(source.candidates(), [3, 2, 1])

    def test_a_file_of_tensorflow_serving(self):
        # The container's folder stands for that of the file.
        (source,) = self._read(_WHOLE)

        self.assertEqual(source.folder, self.folder / "people")
        self.assertEqual(source.candidates(), [3, 1])
        self.assertIsNone(source.most)
        self.assertEqual(dict(source.labels), {"stable": 1})

    def test_policies(self):
        for policy, most in (
            ("", 1),
            ("model_version_policy { latest { num_versions: 2 } }", 2),
            ("model_version_policy { all {} }", None),
        ):
            text = _WHOLE.replace(
                "model_version_policy { specific { versions: 1 versions: 3 } }",
                policy,
            )
            (source,) = self._read(text)
            self.assertEqual(source.most, most, policy)
            self.assertEqual(source.candidates(), [3, 2, 1])

    @parameterized.parameters(
        ("nothing of the kind",),
        ("model_config_list {}",),
        ("custom_model_config {}",),
        ("model_config_list { config { name: 'people' } }",),
        ("model_config_list { config { base_path: 'people' } }",),
        ("model_config_list { config { name: '../x' base_path: 'people' } }",),
        ("model_config_list { config { name: 'x' base_path: '/no/such' } }",),
        ("a {" * 10_000,),
        (
            "model_config_list { config { name: 'x' base_path: 'people' "
            "model_platform: 'caffe' } }",
        ),
        (
            "model_config_list { config { name: 'x' base_path: 'people' } "
            "config { name: 'x' base_path: 'people' } }",
        ),
        (
            "model_config_list { config { name: 'x' base_path: 'people' "
            "model_version_policy { specific {} } } }",
        ),
    )
    def test_files_that_cannot_be_used(self, text):
        with self.assertRaises(UserError):
            self._read(text)

    def test_folders_without_models(self):
        (self.folder / "empty").mkdir()
        for name in ("empty", "missing"):
            with self.assertRaises(UserError):
                model_sources.read(self.folder / name)


if __name__ == "__main__":
    absltest.main()
