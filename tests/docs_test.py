"""Every command of README and docs/ is run, or says what it needs.

`tests/pages.py` says how a page marks its blocks. What is run, is run as it
stands on the page, in an empty folder, with SMALL behind it: the same work with
less of everything, and a stand-in for the supernet (demo_test searches the real
one). Of what is not run, tool, flags and values are checked.
"""

import contextlib
import functools
import json
import pathlib
import re
import shutil
import tempfile
from unittest import mock

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from PIL import Image

from nppnet_tf.benchmarks import figures
from tests import experiments_page
from tests import flags_page
from tests import house_drawing
from tests import pages
from tests import performance_page
from tests import shared
from tests.training import tiny_network
from tests.user_paths import user_path

_NETWORK = (
    "--image_size=64",
    "--channels=16",
    "--cells=4",
    "--num_fusion_cells=1",
)
_STEPS = (
    "--batch_size=2",
    "--epochs=1",
    "--steps_per_epoch=1",
    "--report_every=0",
)
# Added to the commands of pages that are run here; to `--scales` where they
# have it.
_FEW_SCALES = "--scales=0.5"
_FEW_PEOPLE = ("--train=8", "--val=4")
SMALL = {
    "derive": ("--nocost",),
    "draw_people": ("--height=96", "--width=72"),
    # What is searched makes the graph large; the interaction is enough.
    "search": (
        *_NETWORK,
        *_STEPS,
        "--warmup_epochs=0",
        # What is found makes the graphs that follow.
        "--fusion=omit",
        "--primitives=max_pool_3x3,skip_connect",
    ),
    # The tools that follow trace it again and again; demo_test goes on with
    # what was found.
    "train": (
        *_NETWORK,
        *_STEPS,
        "--encoder_decoder=unet",
        "--interaction=omit",
    ),
}

# Flags of programs that are not ours.
_OTHER_FLAGS = {
    "--all-files",
    "--bind_all",
    "--enable_batching",
    "--find-links",
    "--gpus",
    "--help",
    "--helpfull",
    "--flagfile",
    "--logdir",
    "--model_config_file",
    "--no-index",
    "--only_check_args",
}


class CommandTest(parameterized.TestCase):
    """What every block of commands must say, and every command must be."""

    def test_every_block_of_commands_says_whether_it_is_run(self):
        offenders = [
            block.place
            for block in _blocks("bash", "python")
            if block.marker not in ("run", "needs", "tested", "file")
        ]

        self.assertEmpty(offenders)

    def test_commands_stand_in_blocks_of_commands(self):
        offenders = [
            f"{page}:{number}: {line.strip()}"
            for page in pages.paths()
            if page != "flags/README.md"  # Shows a flag file.
            for number, line in pages.code_outside_of_commands(page)
            if pages.COMMAND_LIKE.match(line)
        ]

        self.assertEmpty(offenders)

    def test_what_a_block_needs_is_a_known_want(self):
        wanted = [
            (block.place, want)
            for block in _blocks("bash", "python")
            if block.marker == "needs"
            for want in block.value.split(", ")
        ]
        offenders = [
            f"{place}: {want}"
            for place, want in wanted
            if want not in pages.NEEDS
        ]

        self.assertEmpty(offenders)

    def test_the_tests_that_blocks_name_are_there(self):
        offenders = [
            f"{block.place}: {block.value}"
            for block in _blocks("bash", "python")
            if block.marker == "tested"
            and not (shared.REPOSITORY / block.value).is_file()
        ]

        self.assertEmpty(offenders)

    def test_programs_are_tools_or_known(self):
        offenders = [
            f"{command.block.place}: {command.program}"
            for command in _commands()
            if command.tool not in (None, *pages.known_tools())
            or (
                command.tool is None
                and (
                    command.program not in pages.PROGRAMS
                    or command.block.marker == "run"
                )
            )
        ]

        self.assertEmpty(offenders)

    def test_make_makes_what_pages_ask_of_it(self):
        asked = [
            (command.block.place, target)
            for command in _commands()
            if command.program == "make"
            for target in command.arguments
            if "=" not in target
        ]
        offenders = [
            f"{place}: {target}"
            for place, target in asked
            if target not in pages.make_targets()
        ]

        self.assertNotEmpty(asked)
        self.assertEmpty(offenders)

    def test_extras_are_those_of_setup(self):
        offenders = [
            f"{page}: {extra}"
            for page in pages.paths()
            for group in re.findall(r"(?:nppnet_tf|\.)\[(\w+)\]", _text(page))
            for extra in group.split(",")
            if extra not in pages.extras()
        ]

        self.assertEmpty(offenders)

    @parameterized.named_parameters(
        (page, page) for page in pages.paths() if pages.tool_commands(page)
    )
    def test_tools_take_these_flags(self, page):
        for command in pages.tool_commands(page):
            with self.subTest(f"{command.block.place}: {command.tool}"):
                result = shared.run_tool(
                    command.tool, *command.arguments, "--only_check_args"
                )

                self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_flags_in_the_text_are_flags_of_a_tool(self):
        known = _OTHER_FLAGS | {
            f"--{prefix}{name}"
            for flags in flags_page.flags_of_tools().values()
            for name, _ in flags
            for prefix in ("", "no")
        }
        offenders = [
            f"{page}: {flag}"
            for page in pages.paths()
            for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _text(page))
            for flag, star in re.findall(
                r"(?<![\w-])(--[a-z][\w-]+)(\*?)", code
            )
            if not (
                any(name.startswith(flag) for name in known)
                if star
                else flag in known
            )
        ]

        self.assertEmpty(offenders)

    def test_tools_in_the_text_exist(self):
        offenders = [
            f"{page}: {name}"
            for page in pages.paths()
            for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _text(page))
            for name in re.findall(r"(?:python -m tools\.|nppnet-)(\w+)", code)
            if name not in pages.known_tools()
        ]

        self.assertEmpty(offenders)


class RunTest(parameterized.TestCase):
    """The blocks marked as run, page by page."""

    @parameterized.named_parameters(
        (page, page)
        for page in pages.paths()
        if any(block.marker == "run" for block in pages.blocks(page))
    )
    def test_commands_end_well(self, page):
        supernet = "nppnet_tf.training.search.NPPNet"
        with mock.patch(supernet, tiny_network.TinyNetwork):
            _folder_after(page)

    def test_a_wrong_command_fails(self):
        block = pages.Block("page.md", 1, "bash", "", "run", "")
        words = "python -m tools.derive --workdir=absent --output=x.json"

        with self.assertRaisesRegex(AssertionError, "page.md:1.*absent"):
            _run_command(
                pages.Command(block, tuple(words.split())),
                pathlib.Path(self.create_tempdir().full_path),
            )


class SiteTest(absltest.TestCase):
    """What the site is made of."""

    def test_links_lead_to_files(self):
        offenders = [
            f"{page}: {target}"
            for page in pages.paths()
            for target in re.findall(r"\]\(([^)\s]+)\)", _text(page))
            if not re.match(r"https?:|mailto:|#", target)
            and not _target_of(page, target).is_file()
        ]

        self.assertEmpty(offenders)

    def test_code_that_pages_name_is_there(self):
        named = [
            (page, reference)
            for page in pages.paths()
            for reference in pages.code_references(page)
        ]
        offenders = [
            f"{page}: {reference}"
            for page, reference in named
            if not pages.defines(reference)
        ]

        self.assertGreater(len(named), 50)
        self.assertEmpty(offenders)
        self.assertFalse(pages.defines("tests/pages.py::absent"))
        self.assertFalse(pages.defines("tests/absent.py"))

    def test_the_house_is_drawn_as_it_is_built(self):
        self.assertEqual(
            (shared.REPOSITORY / house_drawing.PICTURE).read_text(),
            house_drawing.drawing(),
            "run `python -m tests.house_drawing`",
        )

    def test_every_page_stands_in_the_navigation_once(self):
        navigation = re.findall(
            r"^ +- .*?([\w/-]+\.md)$",
            (shared.REPOSITORY / "mkdocs.yml").read_text(),
            re.MULTILINE,
        )
        expected = [
            page.removeprefix("docs/")
            for page in pages.paths()
            if page.startswith("docs/")
        ]

        self.assertCountEqual(navigation, expected)

    def test_pages_of_flags_are_those_of_the_tools(self):
        self.assertEqual(
            _text(flags_page.PAGE),
            flags_page.page_text(),
            "run `python -m tests.flags_page`",
        )

    def test_the_page_of_speed_is_that_of_its_figures(self):
        self.assertEqual(
            _text(performance_page.PAGE),
            performance_page.page_text(),
            "run `python -m tests.performance_page`",
        )
        for path, chart in performance_page.charts().items():
            self.assertEqual(
                (shared.REPOSITORY / path).read_text(), chart, path
            )

    def test_the_page_of_experiments_is_that_of_its_studies(self):
        self.assertEqual(
            _text(experiments_page.PAGE),
            experiments_page.page_text(),
            "run `python -m tests.experiments_page`",
        )
        for path, drawing in experiments_page.drawings().items():
            self.assertEqual(
                (shared.REPOSITORY / path).read_text(), drawing, path
            )

    def test_figures_have_the_sizes_of_their_commands(self):
        folder = shared.REPOSITORY / performance_page.FOLDER
        for path in folder.glob("*.json"):
            found = json.loads(path.read_text())
            for argument in figures.TABLE[path.stem].arguments:
                name, _, value = argument.removeprefix("--").partition("=")
                if name in ("channels", "cells", "batch_size", "what", "stage"):
                    with self.subTest(f"{path.stem}, {name}"):
                        self.assertEqual(str(found[name]), value)

    def test_pages_load_nothing_from_elsewhere(self):
        configuration = (shared.REPOSITORY / "mkdocs.yml").read_text()
        loads = re.compile(
            r"<(?:script|img|link|iframe)[^>]+https?:|!\[.*\]\(http"
        )

        self.assertIn("font: false", configuration)
        self.assertEmpty(re.findall(r"https?://\S+\.(?:js|css)", configuration))
        self.assertEmpty(
            [page for page in pages.paths() if loads.search(_text(page))]
        )

    def test_the_first_page_is_short(self):
        self.assertLessEqual(len(_text("README.md").splitlines()), 150)


def _text(page):
    return pages.text(page)


def _blocks(*languages):
    return [
        block
        for page in pages.paths()
        for block in pages.blocks(page)
        if block.language in languages
    ]


def _commands():
    return [
        command
        for block in _blocks("bash")
        for command in pages.commands(block)
    ]


def _target_of(page, target):
    folder = (shared.REPOSITORY / page).parent
    return (folder / target.partition("#")[0]).resolve()


@functools.cache
def _folder_after(page):
    """The folder that the commands of a page leave; runs them once.

    A command that a page before has run is not run again.
    """
    before = pages.page_before(page)
    folder = pathlib.Path(
        tempfile.mkdtemp(dir=absltest.get_default_test_tmpdir())
    )
    if before is None:
        _lay_out(folder)
    else:
        shutil.copytree(
            _folder_after(before), folder, symlinks=True, dirs_exist_ok=True
        )
    for block in pages.blocks(page):
        if block.marker == "file":
            path = folder / block.value
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text + "\n")
        elif block.marker == "run" and block.language == "python":
            with contextlib.chdir(folder):
                exec(compile(block.text, block.place, "exec"), {})
        elif block.marker == "run":
            for command in pages.commands(block):
                if command.words not in _commands_before(page):
                    _run_command(command, folder)
    return folder


def _commands_before(page):
    before = pages.page_before(page)
    if before is None:
        return ()
    return (
        *_commands_before(before),
        *(command.words for command in pages.tool_commands(before)),
    )


def _run_command(command, folder):
    arguments = (*command.arguments, *SMALL.get(command.tool, ()))
    if any(argument.startswith("--scales=") for argument in arguments):
        arguments += (_FEW_SCALES,)
    if any(argument.startswith("--train=") for argument in arguments):
        arguments += _FEW_PEOPLE
    with contextlib.chdir(folder):
        result = shared.run_tool(command.tool, *arguments)
    if result.exit_code or result.stderr:
        raise AssertionError(
            f"{command.block.place}: {command.tool} ended with "
            f"{result.exit_code}: {result.stderr}{result.stdout[-500:]}"
        )


def _lay_out(folder):
    """Makes what a reader of the pages has: LIP, own pictures, flag files."""
    lip = user_path.drawn().lip
    (folder / "LIP").symlink_to(lip)
    (folder / "flags").symlink_to(shared.REPOSITORY / "flags")
    pictures = sorted((lip / "TrainVal_images" / "train_images").iterdir())
    (folder / "pictures").mkdir()
    for picture in pictures[:2]:
        shutil.copy(picture, folder / "pictures")
    shutil.copy(pictures[0], folder / "person.jpg")
    _lay_out_mine(folder / "mine", lip)


def _lay_out_mine(mine, lip):
    """Pictures with the classes and joints of docs/own-folder.md."""
    shutil.copytree(lip / "TrainVal_images" / "train_images", mine / "images")
    (mine / "labels").mkdir()
    to_mine = np.full(256, 2, np.uint8)  # Body, but for these.
    to_mine[[0]], to_mine[[1, 2, 4, 13]] = 0, 1
    to_mine[[14]], to_mine[[15]] = 3, 4
    for path in next(lip.rglob("train_segmentations")).iterdir():
        labels = to_mine[np.array(Image.open(path))]
        Image.fromarray(labels).save(mine / "labels" / path.name)
    poses = next(lip.rglob("lip_train_set.csv")).read_text().splitlines()
    rows = []
    for pose in poses:
        name, *cells = pose.split(",")
        # Head top, upper neck and both wrists.
        joints = [cells[3 * joint : 3 * joint + 3] for joint in (9, 8, 15, 10)]
        rows.append(",".join([name, *sum(joints, [])]))
    (mine / "pose.csv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    absltest.main()
