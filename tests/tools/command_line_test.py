"""Tests of what every command line shares.

The tool under test is written by the test itself into a package `tools_sample`
whose `command_line` is the real one, so that all passes a real process.
"""

import contextlib
import dataclasses
import io
import json
import os
import pathlib
import pty
import subprocess
import sys
import textwrap
from unittest import mock

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.data import descriptors
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype
from nppnet_tf.search_space import published
from tests import shared
from tools import command_line

_SAMPLE = '''
    """Counts words.

    Second paragraph.
    """

    import errno
    import os
    import sys

    from absl import flags

    from nppnet_tf.errors import UserError
    from tools import command_line

    FLAGS = flags.FLAGS
    flags.DEFINE_string("words", None, "What to count.", required=True)
    flags.DEFINE_integer("times", 1, "How often.", lower_bound=1)
    flags.DEFINE_bool("loud", False, "Whether to shout.")


    def _run(argv: list[str]) -> None:
        if FLAGS.words == "user":
            raise UserError("bad\\nword", "--words", "good", "user")
        if FLAGS.words == "full":
            with open("/dev/full", "w") as file:
                file.write("x")
        if FLAGS.words == "missing":
            open("/no/such/file").close()
        if FLAGS.words == "library":
            raise RuntimeError("write failed: No space left on device")
        if FLAGS.words == "bug":
            raise KeyError("bug")
        if FLAGS.words == "interrupt":
            raise KeyboardInterrupt
        if FLAGS.words == "pipe":
            for _ in range(100000):
                command_line.say("y")
        if FLAGS.words == "tensorflow":
            import tensorflow

            tensorflow.constant(1)
            raise UserError("after tensorflow")
        if FLAGS.words == "keras":
            import keras

            command_line.say(keras.__name__)
            command_line.say(sys.modules.get("matplotlib.pyplot"))
        if FLAGS.words == "flags":
            command_line.say(command_line.resolved_flags(_run))
        command_line.say(f"{FLAGS.words} {FLAGS.times} {argv[1:]}")
        command_line.say("tensorflow" in sys.modules)


    def main() -> None:
        command_line.run(_run, %s)


    if __name__ == "__main__":
        main()
'''


class RunTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self._write("count", None)
        self._write("count_files", "FILE...")

    def test_success_returns_status_0_and_writes_to_stdout_only(self):
        result = self._call("count", "--words=a", "--times=3")

        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.splitlines()[0], "a 3 []")
        self.assertEqual(result.stderr, "")

    def test_tensorflow_is_not_imported(self):
        result = self._call("count", "--words=a")

        self.assertEqual(result.stdout.splitlines()[1], "False")

    def test_keras_is_imported_without_pyplot(self):
        result = self._call("count", "--words=keras")

        self.assertEqual(result.stdout.splitlines()[:2], ["keras", "None"])

    @parameterized.named_parameters(
        ("user_error", "user", "bad word; where: --words; expected: good"),
        ("missing_file", "missing", "No such file or directory; where: /no/su"),
        ("full_disk", "full", "disk full; "),
        ("full_disk_of_library", "library", "disk full; "),
    )
    def test_user_can_cause_it_so_one_line_and_status_2(self, words, line):
        result = self._call("count", f"--words={words}")

        self.assertEqual(result.returncode, 2)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertStartsWith(result.stderr, f"nppnet-count: {line}")

    @parameterized.named_parameters(
        ("unknown", ["--words=a", "--word=b"], "Unknown command line flag"),
        ("out_of_range", ["--words=a", "--times=0"], "--times=0"),
        ("not_a_number", ["--words=a", "--times=many"], "--times=many"),
        ("required", [], "--words must have a value"),
        (
            "flag_file",
            ["--flagfile=/no/such"],
            "cannot be read; where: /no/such",
        ),
        (
            "stray_word",
            ["--words=a", "b"],
            "argument that is no flag; where: b",
        ),
    )
    def test_wrong_flag_is_one_line_and_status_2(self, arguments, line):
        result = self._call("count", *arguments)

        self.assertEqual(result.returncode, 2)
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertStartsWith(result.stderr, "nppnet-count: ")
        self.assertIn(line, result.stderr)

    def test_binary_flag_file_is_one_line_and_status_2(self):
        flag_file = self.folder / "binary"
        flag_file.write_bytes(b"\xff\xfe\x00")

        result = self._call("count", f"--flagfile={flag_file}")

        self.assertEqual(result.returncode, 2)
        self.assertLen(result.stderr.splitlines(), 1)

    def test_tensorflow_adds_no_line(self):
        result = self._call("count", "--words=tensorflow")

        self.assertEqual(result.stderr, "nppnet-count: after tensorflow\n")

    def test_bug_keeps_its_traceback(self):
        result = self._call("count", "--words=bug")

        self.assertEqual(result.returncode, 1)
        self.assertIn("Traceback", result.stderr)

    def test_interrupt_is_one_line_and_status_130(self):
        result = self._call("count", "--words=interrupt")

        self.assertEqual(result.returncode, 130)
        self.assertEqual(result.stderr, "nppnet-count: interrupted\n")

    def test_closed_pipe_is_silent(self):
        with subprocess.Popen(
            self._command("count", "--words=pipe"),
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            process.stdout.readline()
            process.stdout.close()
            stderr = process.stderr.read()
            process.wait()

        self.assertEqual(process.returncode, 141)
        self.assertEqual(stderr, b"")

    @parameterized.named_parameters(
        ("utf_8", "utf-8", "\\xb2 é 测\n"),
        ("ascii", "ascii", "\\xb2 \\xe9 \\u6d4b\n"),
        ("latin_1", "latin-1", "\\xb2 é \\u6d4b\n"),
    )
    def test_every_name_can_be_said(self, encoding, expected):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        with mock.patch.object(sys, "stdout", stream):
            command_line.say(os.fsdecode(b"\xb2 ") + "é 测")

        self.assertEqual(stream.buffer.getvalue().decode(encoding), expected)

    def test_a_full_stdout_is_one_line_and_status_2(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run(
                self._command("count", "--words=a"),
                cwd=self.folder,
                env=self._environment(),
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )

        self.assertEqual(result.returncode, 2)
        self.assertRegex(
            result.stderr, r"\Anppnet-count: disk full; where: standard output"
        )
        self.assertLen(result.stderr.splitlines(), 1)

    def test_flag_file_sets_flags_and_later_flags_win(self):
        flag_file = self.folder / "count.txt"
        flag_file.write_text("# A comment.\n--words=file\n--times=2\n")

        result = self._call("count", f"--flagfile={flag_file}", "--times=5")

        self.assertEqual(result.stdout.splitlines()[0], "file 5 []")

    def test_only_check_args_ends_before_the_work(self):
        result = self._call("count", "--words=user", "--only_check_args")

        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_words_reach_a_tool_that_takes_them(self):
        result = self._call("count_files", "--words=a", "b", "c")

        self.assertEqual(result.stdout.splitlines()[0], "a 1 ['b', 'c']")

    def test_resolved_flags_are_a_flag_file_of_the_own_flags(self):
        result = self._call("count", "--words=flags", "--times=2")

        self.assertEqual(
            result.stdout.splitlines()[:3],
            ["--noloud", "--times=2", "--words=flags"],
        )

    @parameterized.named_parameters(("module", False), ("console_script", True))
    def test_help_lists_the_own_flags_and_needs_no_flag(self, script):
        result = self._call("count", "--help", script=script)

        self.assertEqual(result.returncode, 0)
        self.assertStartsWith(result.stdout, "Counts words.")
        self.assertIn("usage: nppnet-count [flags]", result.stdout)
        self.assertIn("--words\n    What to count.", result.stdout)
        self.assertIn("--[no]loud", result.stdout)
        self.assertNotIn("--verbosity", result.stdout)

    def test_help_names_the_arguments(self):
        result = self._call("count_files", "--help")

        self.assertIn("nppnet-count_files [flags] FILE...", result.stdout)

    def test_helpfull_lists_flags_of_libraries(self):
        result = self._call("count", "--helpfull")

        self.assertEqual(result.returncode, 0)
        self.assertIn("verbosity", result.stdout)
        self.assertIn("--words", result.stdout)

    def _write(self, name, arguments):
        package = self.folder / "sample"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        source = textwrap.dedent(_SAMPLE) % repr(arguments)
        (package / f"{name}.py").write_text(source.lstrip())

    def _command(self, name, *arguments, script=False):
        if script:
            code = (
                f"import sys; from sample.{name} import main; sys.exit(main())"
            )
            return [sys.executable, "-c", code, *arguments]
        return [sys.executable, "-m", f"sample.{name}", *arguments]

    def _environment(self):
        return {
            "HOME": str(self.folder),
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(shared.REPOSITORY),
        }

    def _call(self, name, *arguments, script=False):
        return subprocess.run(
            self._command(name, *arguments, script=script),
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )


class RequirePathTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)
        self.file = self.folder / "file"
        self.file.write_text("text")
        (self.folder / "empty").mkdir()

    def test_what_exists_is_returned(self):
        self.assertEqual(
            command_line.require_file(str(self.file), "--file"), self.file
        )
        self.assertEqual(
            command_line.require_folder(str(self.folder), "--folder"),
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
        with self.assertRaisesRegex(command_line.UserError, message):
            command_line.require_file(self.folder / name, "--file")

    @parameterized.named_parameters(
        ("missing", "none", "not found; .* expected: a folder; found: nothing"),
        ("file", "file", "not a folder; .* found: a file"),
        ("empty", "empty", "empty folder; where: --folder=.*empty"),
    )
    def test_wrong_folder_is_a_user_error(self, name, message):
        with self.assertRaisesRegex(command_line.UserError, message):
            command_line.require_folder(self.folder / name, "--folder")

    @parameterized.named_parameters(
        ("file", command_line.require_file),
        ("folder", command_line.require_folder),
        ("new_folder", command_line.new_folder),
    )
    def test_missing_flag_is_a_user_error(self, function):
        for value in (None, ""):
            with self.assertRaisesRegex(
                command_line.UserError, "flag is missing; where: --it"
            ):
                function(value, "--it")

    def test_new_folder_is_made_with_its_parents(self):
        path = self.folder / "a" / "b"

        self.assertEqual(command_line.new_folder(path, "--output"), path)
        self.assertTrue(path.is_dir())

    def test_new_folder_keeps_what_is_there(self):
        command_line.new_folder(self.folder, "--output")

        self.assertEqual(self.file.read_text(), "text")

    @parameterized.named_parameters(
        ("itself", "file", "not a folder; .* found: a file"),
        ("parent", "file/below", "cannot be used; .* Not a directory"),
    )
    def test_new_folder_where_a_file_is_is_a_user_error(self, name, message):
        with self.assertRaisesRegex(command_line.UserError, message):
            command_line.new_folder(self.folder / name, "--output")

    def test_a_folder_that_could_be_made_is_returned_and_not_made(self):
        path = self.folder / "a" / "b"

        self.assertEqual(
            command_line.require_new_folder(path, "--workdir"), path
        )
        self.assertFalse(path.parent.exists())

    def test_genotypes_are_names_or_files(self):
        written = self.folder / "genotype.json"
        genotype.save(published.baseline(), written)

        for value in ("released", "baseline", str(written)):
            command_line.require_genotype(value, "--genotype")
        for value, message in (
            ("other", "not found; where: --genotype=other"),
            (str(self.file), f"not JSON; where: {self.file}"),
        ):
            with self.assertRaisesRegex(UserError, message):
                command_line.require_genotype(value, "--genotype")

    def test_descriptors_are_names_or_files(self):
        written = self.folder / "descriptor.json"
        written.write_text(descriptors.LIP.to_json())

        for value in ("lip", "cihp", str(written)):
            command_line.require_descriptor(value, "--descriptor")
        for value, message in (
            ("other", "not found; where: --descriptor=other"),
            (str(self.file), f"not JSON; where: {self.file}"),
        ):
            with self.assertRaisesRegex(UserError, message):
                command_line.require_descriptor(value, "--descriptor")

    def test_records_are_folders_with_a_sound_manifest(self):
        for content, message in (
            (None, "not a folder of records; where: --records="),
            ("{}", "records of another format; where: .*manifest.json"),
        ):
            if content is not None:
                (self.folder / "manifest.json").write_text(content)
            with self.assertRaisesRegex(UserError, message):
                command_line.require_records(self.folder, "--records")

    def test_flags_that_must_be_given_are_named(self):
        words = "Of this test."
        for name in ("given", "absent"):
            flags.DEFINE_string(name, None, words)
            self.addCleanup(delattr, flags.FLAGS, name)
        flags.FLAGS["given"].value = "value"

        command_line.require_given("given")
        with self.assertRaisesRegex(UserError, "flag is missing.* --absent"):
            command_line.require_given("given", "absent")


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
            command_line.require_run(folder, "--model")


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

        self.assertEqual(command_line.new_file(path, "--output"), path)
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
        with self.assertRaisesRegex(command_line.UserError, message):
            command_line.new_file(path, "--output")

    @parameterized.parameters("loop", "loop/below", "lost", "lost/below")
    def test_folders_know_lost_links_too(self, name):
        with self.assertRaisesRegex(
            command_line.UserError, "link to nothing|Too many levels"
        ):
            command_line.new_folder(self.folder / name, "--output")

    @parameterized.parameters("file", "hard", "soft", "there/file", "inputs/a")
    def test_an_input_is_never_replaced(self, name):
        inputs = (self.file, self.folder / "inputs", None, "")
        with self.assertRaisesRegex(
            command_line.UserError, f"replace an input; .*{name}"
        ):
            command_line.new_file(self.folder / name, "--output", inputs)

    def test_an_earlier_output_inside_an_input_is_replaced(self):
        inputs = (self.folder / "inputs",)
        for name in ("a", "new"):
            path = self.folder / "inputs" / name

            found = command_line.new_file(
                path, "--output", inputs, lambda path: path.name == "a"
            )

            self.assertEqual(found, path)


def _on_a_terminal(code: str, **environment: str) -> str:
    """What a program writes to a terminal."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=theirs,
            cwd=shared.REPOSITORY,
            env={"PATH": os.environ["PATH"], **environment},
        )
        os.close(theirs)
        pieces = []
        # Linux ends a terminal without a writer by an error.
        with contextlib.suppress(OSError):
            while piece := terminal.read(1 << 16):
                pieces.append(piece)
    process.wait()
    return b"".join(pieces).decode()


class ProgressTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.lines = []
        self.enter_context(
            absltest.mock.patch.object(command_line, "say", self.lines.append)
        )

    def test_lines_come_at_the_start_each_interval_and_at_the_end(self):
        with self._progress(100) as progress:
            for _ in range(100):
                self.now += 1.0
                progress.advance()

        self.assertLen(self.lines, 1 + 10 + 1)
        self.assertEqual(self.lines[0], "drawing: 0/100 (0 s gone)")
        self.assertEqual(
            self.lines[1], "drawing: 10/100 (10 s gone, 1:30 min left)"
        )
        self.assertEqual(self.lines[-1], "drawing: 100/100 (1:40 min gone)")

    def test_note_stands_behind_the_time(self):
        with self._progress(2) as progress:
            self.now += 10.0
            progress.advance(note="loss 1.5")

        self.assertEqual(
            self.lines[1], "drawing: 1/2 (10 s gone, 10 s left) loss 1.5"
        )

    def test_unknown_total_has_no_time_left(self):
        with self._progress(None) as progress:
            self.now += 10.0
            progress.advance(5)

        self.assertEqual(self.lines[1], "drawing: 5 (10 s gone)")

    def test_over_yields_and_counts_every_item(self):
        progress = self._progress(3)

        self.assertEqual(list(progress.over("abc")), ["a", "b", "c"])
        self.assertEqual(progress.count, 3)

    def test_a_terminal_shows_a_bar_with_the_time_left(self):
        code = """
import threading, time
from tools import command_line
with command_line.Progress(4, "drawing") as progress:
    for _ in range(3):
        time.sleep(0.3)
        progress.advance(note="loss 1.5")
with command_line.Progress(None, "reading") as progress:
    progress.advance(7)
print("threads", threading.active_count())
"""
        for environment in ({}, {"NO_COLOR": "1"}):
            shown = _on_a_terminal(code, TERM="xterm", **environment)

            self.assertRegex(shown, r"\rdrawing: 0/4 \|.*0 gone, \? left\)")
            self.assertRegex(
                shown, r"drawing: 3/4 \|.+\| \(.+ gone, .+ left, loss 1\.5\)"
            )
            self.assertRegex(shown, r"reading: 7 \(00:0\d gone\)")
            # Neither colors nor a hidden cursor.
            self.assertNotIn("\x1b", shown)
            self.assertIn("threads 1", shown)

    def test_failure_writes_no_last_line(self):
        with self.assertRaisesRegex(ValueError, "stop"), self._progress(3):
            raise ValueError("stop")

        self.assertLen(self.lines, 1)

    def test_seconds_read_as_hours_and_minutes(self):
        self.assertEqual(command_line.format_seconds(3723), "1:02:03 h")

    def _progress(self, total):
        return command_line.Progress(total, "drawing", clock=lambda: self.now)


if __name__ == "__main__":
    absltest.main()
