"""Wrong flags are one line and status 2, before anything is made."""

import codecs
import os
import pathlib
import tempfile

from absl.testing import absltest

from tests.user_paths import user_path

_FLAGS = "--epochs=3\n--seed=5\n"


class FlagsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.records = self.folder / "records"
        self.records.mkdir()
        (self.records / "manifest.json").write_text("{}")
        self.file = self.folder / "file"
        self.file.write_text("[" * 100_000)

    def test_wrong_flags_are_one_line_that_names_them(self):
        train = ("train", "--genotype=released", f"--records={self.records}")
        for flag, (tool, *arguments) in {
            "seed=99999999999999999999": (*train, "--workdir=x"),
            "learning_rate=nan": (*train, "--workdir=x"),
            "workdir=file/run": (
                *train,
                f"--workdir={self.file / 'run'}",
            ),
            "image_size=33": ("benchmark", "--what=inference"),
            "drop_epochs=-1": ("search", "--stage=encoder_decoder"),
            "height=inf": ("draw_people", "--width=96", "--root=x"),
            "output=": ("derive", f"--workdir={self.records}"),
            "genotype=": ("import_npp", "--checkpoint=x", "--output=y"),
            "model=": (
                "predict",
                str(self.file),
                f"--model={self.records}",
                f"--output={self.folder / 'out'}",
            ),
        }.items():
            name, _, value = flag.partition("=")
            is_given = any(word.startswith(f"--{name}=") for word in arguments)
            words = [] if is_given else [f"--{flag}"]
            with self.subTest(flag):
                self._assert_one_line(
                    user_path.run(tool, *arguments, *words), f"--{name}"
                )
        self.assertCountEqual(self.folder.iterdir(), [self.records, self.file])

    def test_paths_are_refused_before_libraries_are_loaded(self):
        # Found instead of those that take seconds to load; an import of one
        # would end in a traceback.
        libraries = self.folder / "libraries"
        libraries.mkdir()
        for name in ("keras", "scipy", "tensorflow"):
            (libraries / f"{name}.py").write_text("raise RuntimeError\n")
        loop = self.folder / "loop"
        loop.symlink_to(loop)
        new = self.folder / "new"
        output = f"--output={new}"
        checkpoint = ("import_npp", f"--checkpoint={self.file}", output)
        detector = self.folder / "detector"
        detector.mkdir()
        (detector / "saved_model.pb").touch()
        detect = ("detect_people", "--images=.", output, f"--model={detector}")
        folder = ("build_records", "--dataset=folder", "--root=.", output)
        train = ("train", "--genotype=released", f"--workdir={new}")

        for named, (tool, *arguments) in {
            "--truth_dir": ("evaluate", "--truth_dir=no", "--prediction_dir=."),
            "--prediction_csv": (
                "evaluate",
                f"--truth_csv={self.file}",
                "--prediction_csv=.",
            ),
            "--root": (*folder, "--root=no"),
            "--keypoints": (*folder, "--keypoints=/dev/zero"),
            "--labels": (*folder, "--labels=no"),
            "--output": (*folder, f"--output={loop}"),
            "--model": (*detect, "--model=."),
            "--ids": (*detect, "--ids=no"),
            "no pictures": folder,
            "--compare": (*checkpoint, f"--compare={loop}"),
            "--descriptor": (*checkpoint, "--descriptor=no"),
            str(self.file): (*checkpoint, f"--genotype={self.file}"),
            f"{self.file};": (*checkpoint, f"--compare={self.file}"),
            "--records": (*train, "--records=."),
            str(self.records): (*train, f"--records={self.records}"),
        }.items():
            with self.subTest(named):
                self._assert_one_line(
                    user_path.run(tool, *arguments, PYTHONPATH=str(libraries)),
                    named,
                )
        self.assertFalse(new.exists())

    def test_flag_files_of_every_editor_mean_the_same(self):
        inner = self.folder / "inner.txt"
        inner.write_bytes(
            codecs.BOM_UTF8 + _FLAGS.replace("\n", "\r\n").encode()
        )
        outer = self.folder / "outer.txt"
        outer.write_bytes(codecs.BOM_UTF8 + f"--flagfile={inner}\r\n".encode())

        result = user_path.run(
            "train", f"--flagfile={outer}", "--only_check_args"
        )

        self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_errors_in_flag_files_name_file_and_line(self):
        path = self.folder / "flags.txt"
        path.write_text("# Ours.\n--epochs=3\n--seed=many\n")
        inner = self.folder / "inner.txt"
        inner.write_text("\n--workdir=run\n--records=absent\n")
        outer = self.folder / "outer.txt"
        outer.write_text(f"--flagfile={inner}\n")

        for given, place in ((path, f"{path} line 3"), (outer, inner)):
            with self.subTest(given.name):
                self._assert_one_line(
                    user_path.run("train", f"--flagfile={given}"), f"({place}"
                )

    def test_flag_files_that_are_no_text_are_one_line(self):
        inner = self.folder / "inner.txt"
        inner.write_bytes(_FLAGS.encode("utf-16"))
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        for path in (inner, pipe, "/dev/zero"):
            with self.subTest(str(path)):
                self._assert_one_line(
                    user_path.run("train", f"--flagfile={path}"), str(path)
                )

    def _assert_one_line(self, result, text):
        self.assertEqual(result.exit_code, 2, result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        self.assertLessEqual(len(result.stderr), 500)
        self.assertIn(text, result.stderr)


if __name__ == "__main__":
    absltest.main()
