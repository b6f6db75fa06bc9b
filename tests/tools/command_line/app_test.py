"""Tests of what every command line shares.

The tool under test is written by the test itself into a package `tools_sample`
whose `command_line` is the real one, so that all passes a real process.
"""

import io
import os
import pathlib
import subprocess
import sys
import textwrap
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from tests import shared
from tools.command_line import console
from tools.command_line import help_text
from tools.command_line.tool_flags import ToolFlags

_SAMPLE = '''
    """Counts words.

    Second paragraph.
    """

    import errno
    import atexit
    import gc
    import os
    import sys

    from nppnet_tf.errors import UserError
    from tools.command_line import app
    from tools.command_line import console
    from tools.command_line.tool_flags import ToolFlags

    FLAGS = ToolFlags()
    FLAGS.define_text("words", None, "What to count.")
    FLAGS.define_count("times", 1, "How often.", 1)
    FLAGS.define_switch("loud", False, "Whether to shout.")


    def _run(argv: list[str]) -> None:
        if FLAGS.words == "user":
            raise UserError("bad\\nword", "--words", "good", "user")
        if FLAGS.words == "full":
            with open("/dev/full", "w") as file:
                file.write("x")
        if FLAGS.words == "missing":
            open("/no/such/file").close()
        if FLAGS.words == "full_of_words":
            open("/no/such/No space left on device").close()
        if len(FLAGS.words) > 500:
            raise UserError("bad word", f"--words={FLAGS.words}", "a good one")
        if FLAGS.words == "cause":
            try:
                os.write(os.open("/dev/full", os.O_WRONLY), b"x")
            except OSError as error:
                raise RuntimeError("cannot be written") from error
        if FLAGS.words == "library":
            raise RuntimeError("write failed: No space left on device")
        if FLAGS.words == "bug":
            raise KeyError("bug")
        if FLAGS.words == "interrupt":
            raise KeyboardInterrupt
        if FLAGS.words == "pipe":
            for _ in range(100000):
                console.say("y")
        if FLAGS.words == "tensorflow":
            import tensorflow

            tensorflow.constant(1)
            raise UserError("after tensorflow")
        if FLAGS.words == "keras":
            import keras

            console.say(keras.__name__)
            console.say(sys.modules.get("matplotlib.pyplot"))
        if FLAGS.words == "garbage":
            console.say(gc.get_threshold()[0])
            atexit.register(lambda: print(gc.get_freeze_count() > 0))
        if FLAGS.words == "flags":
            console.say(FLAGS.resolved())
        console.say(f"{FLAGS.words} {FLAGS.times} {argv[1:]}")
        console.say("tensorflow" in sys.modules)


    def main() -> None:
        app.run(_run, FLAGS, %s, required=("words",))


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
        ("full_disk_behind_it", "cause", "disk full; "),
        ("no_full_disk", "full_of_words", "No such file or directory; where:"),
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
        ("required", [], "flag is missing; where: --words"),
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
            console.say(os.fsdecode(b"\xb2 ") + "é 测")

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

    def test_a_flag_of_a_file_keeps_its_place_however_long_it_is(self):
        flag_file = self.folder / "count.txt"
        flag_file.write_text(f"# A comment.\n--words={'a' * 600}\n")

        result = self._call("count", f"--flagfile={flag_file}")

        self.assertEqual(result.returncode, 2)
        self.assertIn(" ... ", result.stderr)
        self.assertEndsWith(result.stderr, f" ({flag_file} line 2)\n")

    def test_only_check_args_ends_before_the_work(self):
        result = self._call("count", "--words=user", "--only_check_args")

        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_a_tool_starts_whose_flags_were_read_before(self):
        tool = ToolFlags()
        tool.read(["tool"])

        help_text.define(tool, sys.exit, None)

        self.assertContainsSubset(["help", "helpfull"], tool)
        self.assertFalse(tool.only_check_args)

    def test_words_reach_a_tool_that_takes_them(self):
        result = self._call("count_files", "--words=a", "b", "c")

        self.assertEqual(result.stdout.splitlines()[0], "a 1 ['b', 'c']")

    def test_garbage_is_looked_for_less_often(self):
        result = self._call("count", "--words=garbage")

        self.assertEqual(result.stdout.splitlines()[0], "10000")

    def test_garbage_is_not_looked_for_at_the_end(self):
        result = self._call("count", "--words=garbage")

        self.assertEqual(result.stdout.splitlines()[-1], "True")

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


if __name__ == "__main__":
    absltest.main()
