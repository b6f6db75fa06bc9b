"""Tests of tools.command_line.paths."""

import dataclasses
import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tools.command_line import app
from tools.command_line import paths


class RequirePathTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.file = self.folder / "file"
        self.file.write_text("text")
        (self.folder / "empty").mkdir()

    def test_what_exists_is_returned(self):
        self.assertEqual(
            paths.require_file(str(self.file), "--file"), self.file
        )
        self.assertEqual(
            paths.require_folder(str(self.folder), "--folder"),
            self.folder,
        )

    @parameterized.named_parameters(
        (
            "missing",
            "none",
            "not found; where: --file=.*none; expected: a file",
        ),
        ("folder", "empty", "not a file; .* found: a folder"),
    )
    def test_wrong_file_is_a_user_error(self, name, message):
        with self.assertRaisesRegex(app.UserError, message):
            paths.require_file(self.folder / name, "--file")

    @parameterized.named_parameters(
        ("missing", "none", "not found; .* expected: a folder; found: nothing"),
        ("file", "file", "not a folder; .* found: a file"),
        ("empty", "empty", "empty folder; where: --folder=.*empty"),
    )
    def test_wrong_folder_is_a_user_error(self, name, message):
        with self.assertRaisesRegex(app.UserError, message):
            paths.require_folder(self.folder / name, "--folder")

    @parameterized.named_parameters(
        ("file", paths.require_file),
        ("folder", paths.require_folder),
        ("new_folder", paths.new_folder),
    )
    def test_missing_flag_is_a_user_error(self, function):
        for value in (None, ""):
            with self.assertRaisesRegex(
                app.UserError, "flag is missing; where: --it"
            ):
                function(value, "--it")

    def test_new_folder_is_made_with_its_parents(self):
        path = self.folder / "a" / "b"

        self.assertEqual(paths.new_folder(path, "--output"), path)
        self.assertTrue(path.is_dir())

    def test_new_folder_keeps_what_is_there(self):
        paths.new_folder(self.folder, "--output")

        self.assertEqual(self.file.read_text(), "text")

    @parameterized.named_parameters(
        ("itself", "file", "not a folder; .* found: a file"),
        ("parent", "file/below", "cannot be used; .* Not a directory"),
    )
    def test_new_folder_where_a_file_is_is_a_user_error(self, name, message):
        with self.assertRaisesRegex(app.UserError, message):
            paths.new_folder(self.folder / name, "--output")

    def test_a_folder_that_could_be_made_is_returned_and_not_made(self):
        path = self.folder / "a" / "b"

        self.assertEqual(paths.require_new_folder(path, "--workdir"), path)
        self.assertFalse(path.parent.exists())

    def test_genotypes_are_names_or_files(self):
        written = self.folder / "genotype.json"
        genotypes.save(published.baseline(), written)

        for value in ("released", "baseline", str(written)):
            paths.require_genotype(value, "--genotype")
        for value, message in (
            ("other", "not found; where: --genotype=other"),
            (str(self.file), f"not JSON; where: {self.file}"),
        ):
            with self.assertRaisesRegex(UserError, message):
                paths.require_genotype(value, "--genotype")

    def test_descriptors_are_names_or_files(self):
        written = self.folder / "descriptor.json"
        written.write_text(descriptors.LIP.to_json())

        for value in ("lip", "cihp", str(written)):
            paths.require_descriptor(value, "--descriptor")
        for value, message in (
            ("other", "not found; where: --descriptor=other"),
            (str(self.file), f"not JSON; where: {self.file}"),
        ):
            with self.assertRaisesRegex(UserError, message):
                paths.require_descriptor(value, "--descriptor")

    def test_records_are_folders_with_a_sound_manifest(self):
        for content, message in (
            (None, "not a folder of records; where: --records="),
            ("{}", "manifest of another format or version; where: "),
        ):
            if content is not None:
                (self.folder / "manifest.json").write_text(content)
            with self.assertRaisesRegex(UserError, message):
                paths.require_records(self.folder, "--records")


class RequireRunTest(parameterized.TestCase):
    @parameterized.parameters(
        {"num_classes": 100_000}, {"cells": 10**9}, {"channels": 10**9}
    )
    def test_a_size_that_no_network_has_is_refused_at_once(self, **size):
        folder = pathlib.Path(self.create_tempdir("{run}").full_path)
        config = dataclasses.asdict(NetworkConfig()) | size
        (folder / "network.json").write_text(json.dumps({"config": config}))

        with self.assertRaisesRegex(
            UserError, f"no network.*network.json, {next(iter(size))};"
        ):
            paths.require_run(folder, "--model")


class NewFileTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.file = self.folder / "file"
        self.file.write_text("text")
        (self.folder / "loop").symlink_to("loop")
        (self.folder / "lost").symlink_to("nowhere")
        (self.folder / "hard").hardlink_to(self.file)
        (self.folder / "soft").symlink_to("file")
        (self.folder / "there").symlink_to(self.folder)
        (self.folder / "inputs").mkdir()
        (self.folder / "inputs" / "a").touch()

    @parameterized.parameters("file", "soft", "there/new", "a/b/new")
    def test_what_can_be_written_is_returned(self, name):
        path = self.folder / name

        self.assertEqual(paths.new_file(path, "--output"), path)
        self.assertEqual(self.file.read_text(), "text")
        self.assertFalse((self.folder / "a").exists())

    @parameterized.parameters(
        ("inputs", "not a file; .* found: a folder"),
        ("file/below", "cannot be used; .* Not a directory"),
        ("loop", "cannot be used; .* Too many levels"),
        ("loop/below", "cannot be used; .* Too many levels"),
        ("lost", "link to nothing; .* found: nowhere"),
        ("lost/below", "link to nothing; .* found: nowhere"),
        ("x" * 300, "cannot be used; .* name too long"),
        ("/dev/null", "not a file; .* found: a device"),
        ("", "flag is missing; where: --output"),
    )
    def test_what_cannot_be_written_is_a_user_error(self, name, message):
        path = self.folder / name if name else name
        with self.assertRaisesRegex(app.UserError, message):
            paths.new_file(path, "--output")

    @parameterized.parameters("loop", "loop/below", "lost", "lost/below")
    def test_folders_know_lost_links_too(self, name):
        with self.assertRaisesRegex(
            app.UserError, "link to nothing|Too many levels"
        ):
            paths.new_folder(self.folder / name, "--output")

    @parameterized.parameters("file", "hard", "soft", "there/file", "inputs/a")
    def test_an_input_is_never_replaced(self, name):
        inputs = (self.file, self.folder / "inputs", None, "")
        with self.assertRaisesRegex(
            app.UserError, f"replace an input; .*{name}"
        ):
            paths.new_file(self.folder / name, "--output", inputs)

    def test_an_earlier_output_inside_an_input_is_replaced(self):
        inputs = (self.folder / "inputs",)
        for name in ("a", "new"):
            path = self.folder / "inputs" / name

            found = paths.new_file(
                path, "--output", inputs, lambda path: path.name == "a"
            )

            self.assertEqual(found, path)


if __name__ == "__main__":
    absltest.main()
