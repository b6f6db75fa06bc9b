"""Tests of tools.command_line.tool_flags, and of the flags of every tool."""

import contextlib
import importlib
import io
import math
import os
import pathlib
import sys
import tempfile
from unittest import mock

from absl import flags
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.descriptors import LIP
from nppnet_tf.data.records import record_writer
from nppnet_tf.errors import UserError
from tests import build_file
from tests import shared
from tests.data import sample_records
from tools.command_line import flag_kinds
from tools.command_line.tool_flags import ToolFlags

_TEXT = "What it means."

# For every flag of every tool.
_WALKED = (
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "-1",
    "0",
    "1e30",
    "1e999",
    "99999999999999999999",
    "9" * 5000,
    " ",
    "text",
    "/dev/zero",
    "1,nan",
    "nan,nan",
    "nanxnan",
    "0x0",
    "1000000x1000000",
    "5:3",
)

# Flags that hold a text of any kind: names and titles. Each other text is a
# path and says what has to be there.
_NAMES = {
    "backend",
    "category",
    "figures",
    "grpc",
    "host",
    "input_records",
    "label",
    "name",
    "pipeline_options",
    "primitives",
    "rest",
    "signature",
    "strategies",
    "systems",
    "title",
    "weights_license",
}

# What may be a file and may be a folder.
_EITHER = {
    ("predict", "boxes"),
    ("build_records", "keypoints"),
    ("check_dataset", "keypoints"),
}

# What need not be there yet.
_OUTPUTS = {
    "access_log",
    "coco",
    "contact_sheet",
    "demo_dir",
    "label_sheet",
    "output",
    ("doctor", "workdir"),
    ("draw_people", "root"),
    ("search", "workdir"),
    ("search_budgets", "workdir"),
    ("search_five", "workdir"),
    ("study", "results"),
    ("study", "workdir"),
    ("train", "workdir"),
}

# No number in any range.
_NO_NUMBERS = (
    "",
    " ",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1" * 5000,
    "99999999999999999999",
    "1e30",
    "-1",
    "one",
    "1_0",
    "\N{FULLWIDTH DIGIT ONE}",
    "0x10",
    "1,2",
    "1 2",
)


# By the words of a command line that asks for something else: flags that would
# say nothing, and what they need.
_IDLE = {
    ("predict", "{png}", "--model={run}", "--output={new}"): (
        ("--padding=0.3", "--detector or --boxes"),
        ("--min_score=0.3", "--detector or --boxes"),
        ("--format=coco --opacity=0.3", "--format=files"),
        ("--format=lip --quality", "--format=files"),
        ("--format=tryon --openpose=coco_18", "--format=files or openpose"),
    ),
    ("bulk_predict", "{png}", "--model={run}", "--output={new}"): (
        ("--input_records=a --pictures_per_shard=2", "pictures"),
    ),
    ("evaluate", "--truth_dir={run}", "--prediction_dir={run}"): (
        ("--flip", "--model and --records"),
        ("--scales=0.5,1.0", "--model and --records"),
        ("--head_factor=2.0", "--whole_pictures"),
        ("--pose_reading=released", "--truth_csv and --prediction_csv"),
    ),
    ("import_npp", "--checkpoint={png}", "--output={new}"): (
        ("--name=people", "--export"),
        ("--tolerance=0.1", "--compare"),
    ),
    ("export", "--model={run}", "--output={new}", "--format=onnx"): (
        ("--calibration_pictures=3", "--precision=int8"),
        ("--limit=3", "--records"),
    ),
    ("query_serving", "--what=metadata"): (
        ("--output={new}", "--what=predict"),
        ("--clients=3", "--what=measure"),
        ("--extras", "--what=contract"),
    ),
    ("check_dataset", "--records={records}", "--output={new}"): (
        ("--split=val", "no --records"),
        ("--root={run}", "no --records"),
    ),
    ("derive", "--checkpoint={png}"): (
        ("--selection_batches=3", "--selection=perturbation"),
    ),
    ("draw_people", "--contact_sheet={new}.png"): (("--train=3", "--root"),),
    ("draw_genotype", "--genotype=released", "--output={new}.svg"): (
        ("--scale=2.0", "an --output of .png"),
    ),
}


class ToolFlagsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.flags = ToolFlags()
        self.flags.define_count("some_count", 3, _TEXT, 1, 10)
        self.flags.define_seed("some_seed", 0, _TEXT)
        self.flags.define_number("some_number", None, _TEXT, 0, 2.5)
        self.flags.define_counts("some_counts", (1, 2), _TEXT)
        self.flags.define_numbers("some_numbers", (1,), _TEXT, 0, 4)
        self.flags.define_numbers("some_limits", (1, 2), _TEXT, 0, 4, 2)
        self.flags.define_size("some_size", (64, 32), _TEXT)
        self.flags.define_side("some_side", 64, _TEXT)
        self.flags.define_span("some_span", None, _TEXT)
        self.flags.define_text("some_text", None, _TEXT)
        self.flags.define_path("some_path", None, _TEXT, _refuse_lost)
        self.flags.define_paths("some_paths", _TEXT, _refuse_lost)
        self.flags.define_output("some_output", None, _TEXT, _refuse_lost)

    def test_home_is_found_in_paths(self):
        with mock.patch.dict(os.environ, {"HOME": "/users/me"}):
            self.flags(
                [
                    "tool",
                    "--some_path=~/a",
                    "--some_paths=~/a,b~,~",
                    "--some_output=~/x y",
                    "--some_text=~/a",
                ]
            )

        self.assertEqual(self.flags.some_path, "/users/me/a")
        self.assertEqual(
            self.flags.some_paths, ["/users/me/a", "b~", "/users/me"]
        )
        self.assertEqual(self.flags.some_output, "/users/me/x y")
        self.assertEqual(self.flags.some_text, "~/a")

    @parameterized.named_parameters(
        ("count", "count", "10", 10),
        ("seed", "seed", "4294967295", 4294967295),
        ("number", "number", "1.5e0", 1.5),
        ("least_number", "number", "0", 0.0),
        ("counts", "counts", "1, 5,9", (1, 5, 9)),
        ("no_count", "counts", "", ()),
        ("numbers", "numbers", "2,1,.5", (2, 1, 0.5)),
        ("limits", "limits", "0.5,0.5", (0.5, 0.5)),
        ("size", "size", "384x288", (384, 288)),
        ("square", "size", "96", (96, 96)),
        ("side", "side", "96", 96),
        ("span", "span", "3:5", "3:5"),
        ("text", "text", "a b", "a b"),
        ("path", "path", "a/b c", "a/b c"),
        ("paths", "paths", 'a,"b,c"', ["a", "b,c"]),
    )
    def test_values_are_read(self, name, text, expected):
        self._parse(f"--some_{name}={text}")

        self.assertEqual(self.flags[f"some_{name}"].value, expected)

    @parameterized.named_parameters(
        ("count", "count", ("0", "11", "1.5")),
        ("seed", "seed", ("4294967296", "0.5")),
        ("number", "number", ("2.6", "1e", ".")),
        ("side", "side", ("0", "33", "4128", "-32")),
    )
    def test_what_is_no_number_in_range_is_refused(self, name, texts):
        for text in (*_NO_NUMBERS, *texts):
            with self.subTest(text):
                self._assert_refused(f"--some_{name}={text}")

    @parameterized.named_parameters(
        ("counts", "counts", ("2,1", "1,1", "1,,2", "1,", "-1,2", "1.5")),
        ("numbers", "numbers", ("", "1,nan", "inf", "1,5", "-1", "1;2")),
        ("limits", "limits", ("1", "1,2,3", "2,1", "nan,nan", "0,1e30", "")),
        ("size", "size", ("", "0", "100", "96x100", "32x32x3", "-32", "1e3")),
        ("large_size", "size", ("1000000", "9" * 5000, "64x1000000")),
        ("span", "span", ("", "3", "5:3", "0:1", "a:b", f"1:{'9' * 30}")),
        ("text", "text", ("", " ")),
        ("path", "path", ("", " ")),
        ("paths", "paths", ("", "a,,b", ",")),
    )
    def test_what_is_no_value_is_refused(self, name, texts):
        for text in texts:
            with self.subTest(text):
                self._assert_refused(f"--some_{name}={text}")

    def test_flags_that_are_not_given_keep_their_defaults(self):
        self._parse()

        self.assertEqual(self.flags.some_counts, (1, 2))
        self.assertEqual(self.flags.some_size, (64, 32))
        self.assertEqual(self.flags.some_paths, [])
        self.assertIsNone(self.flags.some_path)
        self.assertIsNone(self.flags.some_text)
        self.flags.check_paths()

    @parameterized.named_parameters(
        ("one", "--some_path=lost"),
        ("the_second_of_two", "--some_paths=there,lost"),
    )
    def test_paths_are_checked_once_all_flags_are_read(self, word):
        self._parse("--some_path=there", "--some_paths=there,there", word)

        name = word.partition("=")[0]
        with self.assertRaisesRegex(UserError, f"lost; where: {name}=lost"):
            self.flags.check_paths()

    def test_paths_to_write_to_are_checked_first(self):
        self._parse("--some_path=lost", "--some_output=lost")

        with self.assertRaisesRegex(UserError, "lost; where: --some_output="):
            self.flags.check_paths()

    def test_paths_that_their_check_takes_are_right(self):
        self._parse("--some_path=there", "--some_paths=there,there")

        self.flags.check_paths()

    def test_what_is_written_is_read_again(self):
        words = (
            "--some_counts=1,5",
            "--some_limits=0.5,1.5",
            "--some_number=0.25",
            "--some_size=64x96",
            "--some_paths=a,b",
        )

        self._parse(*words)

        self.assertEqual(
            [
                self.flags[word[2:].partition("=")[0]].serialize()
                for word in words
            ],
            list(words),
        )

    def test_help_tells_the_range(self):
        parser = self.flags["some_number"].parser

        self.assertEqual(parser.syntactic_help, "a number from 0 to 2.5")

    def test_tools_know_nothing_of_each_other(self):
        other = ToolFlags()
        other.define_number("some_count", 0.5, _TEXT, 0, 1)

        self._parse("--some_count=3")
        other.read(["tool", "--some_count=0.25"])

        self.assertEqual(self.flags.some_count, 3)
        self.assertEqual(other.some_count, 0.25)
        self.assertNotIn("some_count", flags.FLAGS)

    def test_what_was_read_before_is_forgotten(self):
        self._parse("--some_count=5")

        self._parse()

        self.assertEqual(self.flags.some_count, 3)

    def test_flags_of_libraries_are_understood_and_not_its_own(self):
        self.flags.read(["tool", f"--verbosity={flags.FLAGS.verbosity}"])

        self.assertNotIn("verbosity", [f.name for f in self.flags.own()])
        self.assertNotIn("verbosity", self.flags.resolved())

    def test_arguments_of_libraries_are_named_as_flags(self):
        text = self.flags.in_flags("`some_count`=3 of `other`, or `some_size`")

        self.assertEqual(text, "--some_count=3 of `other`, or --some_size")

    def test_flags_that_must_be_given_are_named(self):
        self._parse("--some_text=value")

        self.flags.require_given("some_text")
        with self.assertRaisesRegex(UserError, "flag is missing.* --some_path"):
            self.flags.require_given("some_text", "some_path")

    def test_flags_are_given_together_or_not_at_all(self):
        names = ("some_text", "some_path")
        self._parse()
        self.assertIsNone(self.flags.values_together(*names))

        self._parse("--some_text=a")
        with self.assertRaisesRegex(
            UserError, "missing; where: --some_path; .*--some_text and --some_p"
        ):
            self.flags.values_together(*names)

        self._parse("--some_text=a", "--some_path=b")
        self.assertEqual(self.flags.values_together(*names), ("a", "b"))

    def test_flags_that_do_not_fit_each_other_are_refused(self):
        self.flags.require(
            ["some_count", "some_seed"],
            lambda values: values["some_count"] >= values["some_seed"],
            "a count of at least the seed",
        )

        self._parse("--some_count=3", "--some_seed=3")
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError,
            "some_count=3, some_seed=4: expected a count of at least the seed",
        ):
            self._parse("--some_count=3", "--some_seed=4")

    def test_batches_that_no_memory_holds_are_refused(self):
        self.flags.define_count("some_batch", 8, _TEXT, 1, 1 << 16)
        self.flags.require_batch("some_batch", "some_size")

        self._parse("--some_batch=4096", "--some_size=384")
        with self.assertRaisesRegex(flags.IllegalFlagValueError, "pixels"):
            self._parse("--some_batch=65536", "--some_size=4096")

    def _parse(self, *words):
        self.flags.read(["tool", *words])

    def _assert_refused(self, word):
        name = word.partition("=")[0]
        with self.assertRaisesRegex(
            flags.IllegalFlagValueError, f"^flag {name}=(?s:.*): expected "
        ):
            self._parse(word)


class IdleFlagsTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(
            cls.enterClassContext(tempfile.TemporaryDirectory())
        )
        (folder / "network.json").write_text("{}")
        (folder / "a.png").write_bytes(b"")
        records = sample_records.make_records(1)
        record_writer.write_records(records, folder / "records", LIP, 1)
        cls.names = {
            "run": folder,
            "png": folder / "a.png",
            "new": folder / "new",
            "records": folder / "records",
        }

    @parameterized.parameters(
        (words, *case) for words, cases in _IDLE.items() for case in cases
    )
    def test_flags_that_would_say_nothing_are_refused(
        self, words, given, needed
    ):
        tool, *words = [each.format(**self.names) for each in words]
        added = given.format(**self.names).split()

        result = shared.run_tool(tool, *words, *added)

        self.assertEqual(result.exit_code, 2)
        self.assertIn(
            f"sets what is not in use; where: {added[-1]}; "
            f"expected: with it {needed}, or none of it",
            result.stderr,
        )
        self.assertLen(result.stderr.splitlines(), 1)
        self.assertFalse(self.names["new"].exists())


class EveryToolTest(absltest.TestCase):
    """Walks every flag of every tool with values that are mostly wrong."""

    def test_none_is_imported_with_tensorflow(self):
        tools = ", ".join(f"tools.{name}" for name in build_file.tool_names())

        shared.run_program(
            f"import sys; sys.modules['tensorflow'] = None; import {tools}"
        )

    def test_each_flag_is_of_a_checked_kind(self):
        offenders = [
            f"{tool}: --{flag.name}"
            for tool, own in _own_flags()
            for flag in own.values()
            if not isinstance(
                flag.parser, (flags.EnumParser, flags.BooleanParser)
            )
            and type(flag.parser).__module__ != flag_kinds.__name__
        ]

        self.assertEmpty(offenders)

    def test_wrong_values_are_refused_and_others_are_finite(self):
        for tool, own in _own_flags():
            for name, flag in own.items():
                # One for all texts: thousands would take seconds themselves.
                with self.subTest(tool, flag=name):
                    for text in _WALKED:
                        self._assert_refused_or_sound(flag, text)

    def test_no_flag_but_a_list_of_epochs_may_be_empty(self):
        taken = {
            name
            for _, own in _own_flags()
            for name, flag in own.items()
            if _taken(flag, "") is not None
        }

        self.assertEqual(taken, {"drop_epochs"})

    def test_only_names_are_texts_of_any_kind(self):
        texts = {
            (tool, name)
            for tool, own in _own_flags()
            for name, flag in own.items()
            if type(flag.parser) is flag_kinds.Text
        }

        self.assertEqual({name for _, name in texts}, _NAMES)

    def _assert_refused_or_sound(self, flag, text):
        value = _taken(flag, text)
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            # A text may be any but an empty one.
            if isinstance(part, (int, float)):
                self.assertTrue(math.isfinite(part), text)
                self.assertLessEqual(abs(part), 2**63, text)
            elif part is not None:
                self.assertNotEqual(part.strip(), "", text)


class EveryPathTest(absltest.TestCase):
    """Gives every path of every tool what is wrong, before it begins."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory())
        )
        self.file = self.folder / "file"
        # Deeper than any reader may follow.
        self.file.write_text("[" * 100_000)
        self.pipe = self.folder / "pipe"
        os.mkfifo(self.pipe)
        self.loop = self.folder / "loop"
        self.loop.symlink_to(self.loop)
        self.lost = self.folder / "lost"
        self.lost.symlink_to(self.folder / "nothing")

    def test_what_is_wrong_for_each_is_refused(self):
        self._assert_refused_everywhere(
            "/dev/zero",
            self.pipe,
            self.loop,
            self.loop / "below",
            self.file / "below",
            self.lost,
            self.folder / ("a" * 300),
        )

    def test_inputs_that_are_missing_are_refused(self):
        self._assert_refused_everywhere(
            self.folder / "missing",
            self.folder / "missing" / "below",
            but=_OUTPUTS,
        )

    def test_a_file_for_a_folder_or_a_folder_for_a_file_is_refused(self):
        for tool, walk in self._walks():
            for name in walk.names:
                if (tool, name) in _EITHER:
                    continue
                with self.subTest(tool, flag=name):
                    ends = [
                        walk.run(f"--{name}={path}")
                        for path in (self.file, self.folder)
                    ]

                    refused = [end for end in ends if end.exit_code]
                    self.assertNotEmpty(refused)
                    for end in refused:
                        self._assert_one_line(end, name, self.file)

    def test_paths_need_not_be_there_where_only_flags_are_checked(self):
        for tool, walk in self._walks():
            for name in walk.names:
                with self.subTest(tool, flag=name):
                    end = walk.run(f"--{name}=missing", "--only_check_args")

                    self.assertEqual((end.exit_code, end.stderr), (0, ""))

    def test_words_that_are_no_flags_are_refused_too(self):
        for path in ("", " ", "/dev/zero", self.pipe, self.loop, self.lost):
            with self.subTest(path):
                end = shared.run_tool(
                    "predict", path, "--model=m", "--output=o"
                )

                self.assertEqual(end.exit_code, 2, end.stdout)
                self.assertEqual(end.stderr.count("\n"), 1, end.stderr)

    def _assert_refused_everywhere(self, *paths, but=frozenset()):
        for tool, walk in self._walks():
            for name in walk.names:
                if (tool, name) in but or name in but:
                    continue
                with self.subTest(tool, flag=name):
                    for path in paths:
                        end = walk.run(f"--{name}={path}")

                        self._assert_one_line(end, name)

    def _assert_one_line(self, end, name, path="no path"):
        self.assertEqual(end.exit_code, 2, end.stdout)
        self.assertEqual(end.stderr.count("\n"), 1, end.stderr)
        self.assertLessEqual(len(end.stderr), 540)
        # A file that holds something else is named without its flag.
        self.assertRegex(end.stderr, f"--{name}=|{path}")

    def _walks(self):
        for tool in build_file.tool_names():
            yield tool, _Walk(tool, self.folder)


class _Walk:
    """One tool that does nothing but look at its flags.

    Args:
        tool: Name of the tool.
        root: Folder that --labels is relative to.
    """

    def __init__(self, tool, root):
        self._tool = tool
        self._module = importlib.import_module(f"tools.{tool}")
        self._root = root
        kinds = (flag_kinds.Path, flag_kinds.Paths)
        self.names = [
            flag.name
            for flag in self._module.FLAGS.own()
            if isinstance(flag.parser, kinds)
        ]

    def run(self, *words):
        """Runs it with these words; returns how it ended."""
        if words[0].startswith("--labels="):
            words = (f"--root={self._root}", *words)
        stderr, exit_code = io.StringIO(), 0
        with (
            _no_tensorflow(),
            contextlib.redirect_stderr(stderr),
            mock.patch.object(sys, "argv", [f"tools/{self._tool}.py", *words]),
            mock.patch.dict(vars(self._module)),
            # Flags are given one by one.
            mock.patch.object(ToolFlags, "require_given"),
        ):
            exec("def _run(argv): pass", vars(self._module))
            try:
                self._module.main()
            except SystemExit as end:
                exit_code = end.code
        return shared.ToolResult(exit_code, "", stderr.getvalue())


@contextlib.contextmanager
def _no_tensorflow():
    """Within it an import of TensorFlow is an error."""
    known = sys.modules.pop("tensorflow", None)
    sys.modules["tensorflow"] = None
    try:
        yield
    finally:
        del sys.modules["tensorflow"]
        if known is not None:
            sys.modules["tensorflow"] = known


def _own_flags():
    """The flags of every tool by name, without those of libraries."""
    for tool in build_file.tool_names():
        module = importlib.import_module(f"tools.{tool}")
        yield tool, {flag.name: flag for flag in module.FLAGS.own()}


def _refuse_lost(path, flag):
    if path == "lost":
        raise UserError("lost", f"{flag}={path}")


def _taken(flag, text):
    """The value that a flag takes of a text, None where it refuses it."""
    before = flag.value, flag.present
    try:
        flag.parse(text)
        return flag.value
    except flags.IllegalFlagValueError as error:
        assert f"--{flag.name}" in str(error), error
        return None
    finally:
        flag.value, flag.present = before


if __name__ == "__main__":
    absltest.main()
