"""Reads the pages for users: their blocks of code, and what is to be done.

A block is fenced by three backquotes and says its language. In front of every
block of commands (`bash`) and of Python stands a comment with its marker:

    <!-- run -->             run by tests/docs_test.py, in order, on drawn data
    <!-- needs: LIP -->      not run, for want of what is named; see NEEDS
    <!-- tested: PATH -->    run by another test
    <!-- file: NAME -->      no command: a file that the page's reader writes

A page whose first comment is `<!-- after: docs/search.md -->` goes on in the
folder that the commands of that page have left.
"""

import ast
import dataclasses
import functools
import re
import shlex

from tests import build_file
from tests import shared

# What a command may need that a test has not, as its marker says it.
NEEDS = (
    "LIP",
    "PASCAL-Person-Part",
    "a GPU",
    "a checkpoint of the authors",
    "a container runtime",
    "a running server",
    "a second machine",
    "a web browser",
    "hours",
    "several GPUs",
    "the internet",
    "your data",
)

# Programs of commands that are no tool of ours.
PROGRAMS = (
    ".ci/run",
    "apt-get",
    "bazel",
    "cat",
    "cd",
    "cp",
    "curl",
    "docker",
    "echo",
    "git",
    "kill",
    "kubectl",
    "make",
    "mkdir",
    "mkdocs",
    "pip",
    "pre-commit",
    "python",
    "source",
    "taskset",
    "tensorboard",
    "tensorflow_model_server",
    "unzip",
)

# A line of code that should stand in a block of commands.
COMMAND_LIKE = re.compile(
    r"\s*(\$ )?((\.venv/bin/)?python3? -m |\.venv/bin/|nppnet-\w+ |make \w|"
    r"(pip|docker|curl|git|taskset|tensorboard) \S)"
)

_MARKER = re.compile(r"\s*<!-- (run|needs|tested|file|after)(?:: (.+))? -->$")
_FENCE = re.compile(r"( *)```(\w*).*$")
_TOOL = re.compile(r"(?:\.venv/bin/)?python -m tools\.(\w+)$")


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: Path of the page, "docs/search.md".
        line: Number of its first line in the page.
        language: What stands behind the fence; empty where nothing does.
        text: Lines of the block, without the indentation of the fence.
        marker: First word of its marker, "run"; empty where there is none.
        value: What follows the marker's colon; empty where nothing does.
    """

    page: str
    line: int
    language: str
    text: str
    marker: str
    value: str

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page}:{self.line}"


@dataclasses.dataclass(frozen=True)
class Command:
    """One command of a block.

    Attributes:
        block: The block it stands in.
        words: Words of the command line, the program first.
    """

    block: Block
    words: tuple[str, ...]

    @property
    def tool(self) -> str | None:
        """Name of the tool of ours that it runs, None for other programs."""
        found = _TOOL.match(" ".join(self.words[:3]))
        if found:
            return found[1]
        if self.words[0].startswith("nppnet-"):
            return self.words[0].removeprefix("nppnet-")
        return None

    @property
    def program(self) -> str:
        """Its program, without the folder of the virtual environment."""
        return self.words[0].removeprefix(".venv/bin/")

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the tool's name, or the program."""
        is_module = self.words[1:2] == ("-m",)
        return self.words[3:] if is_module else self.words[1:]


def paths() -> list[str]:
    """Returns the pages for users, as paths of the repository."""
    pages = sorted(
        path.relative_to(shared.REPOSITORY).as_posix()
        for path in (shared.REPOSITORY / "docs").rglob("*.md")
    )
    return [
        "README.md",
        "CONTRIBUTING.md",
        "flags/README.md",
        "savedmodels/README.md",
        *pages,
    ]


def text(page: str) -> str:
    """Returns the text of a page."""
    return (shared.REPOSITORY / page).read_text(encoding="utf-8")


def page_before(page: str) -> str | None:
    """Returns the page in whose folder this one goes on, or None."""
    for line in text(page).splitlines():
        found = _MARKER.match(line)
        if found and found[1] == "after":
            return found[2]
    return None


@functools.cache
def blocks(page: str) -> tuple[Block, ...]:
    """Returns the fenced blocks of a page, in order.

    Raises:
        ValueError: A fence is not closed.
    """
    found = []
    lines = text(page).splitlines()
    number = 0
    while number < len(lines):
        opened = _FENCE.match(lines[number])
        if opened is None:
            number += 1
            continue
        inside = []
        first = number + 1
        for line in lines[first:]:
            if line.strip() == "```":
                break
            inside.append(line.removeprefix(opened[1]))
        else:
            raise ValueError(f"{page}:{first}: the block is not closed")
        marker = _MARKER.match(lines[number - 1]) if number else None
        found.append(
            Block(
                page,
                first + 1,
                opened[2],
                "\n".join(inside),
                marker[1] if marker else "",
                (marker[2] or "") if marker else "",
            )
        )
        number = first + len(inside) + 1
    return tuple(found)


def code_outside_of_commands(page: str) -> list[tuple[int, str]]:
    """Returns lines of code, with numbers, that are in no block of commands.

    These are the lines of blocks of other languages and those that Markdown
    takes for code by their indentation.
    """
    skipped = {
        number
        for block in blocks(page)
        for number in _lines_of(block)
        if block.language in ("bash", "python")
    }
    inside = {
        number
        for block in blocks(page)
        for number in _lines_of(block)
        if number not in skipped
    }
    return [
        (number, line)
        for number, line in enumerate(text(page).splitlines(), 1)
        if number in inside
        or (line.startswith("    ") and number not in skipped)
    ]


def _lines_of(block: Block) -> range:
    return range(block.line, block.line + len(block.text.splitlines()))


def commands(block: Block) -> list[Command]:
    """Returns the commands of a block of `bash`, in order."""
    found = []
    end = None
    for line in block.text.replace("\\\n", " ").splitlines():
        if end is not None:  # What a command reads from `<<WORD`.
            end = None if line.strip() == end else end
            continue
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words[-1:] == ["&"]:  # It runs beside the next one.
            words = words[:-1]
        if words:
            found.append(Command(block, tuple(words)))
            here = re.search(r"<<(\w+)", line)
            end = here[1] if here else None
    return found


def make_targets() -> set[str]:
    """Returns what `make` of this repository can make."""
    makefile = (shared.REPOSITORY / "Makefile").read_text()
    return set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def extras() -> set[str]:
    """Returns the extras of setup.py."""
    setup = (shared.REPOSITORY / "setup.py").read_text()
    block = setup.partition("extras_require={")[2].partition("\n    },")[0]
    return set(re.findall(r'^ {8}"(\w+)":', block, re.MULTILINE))


def code_references(page: str) -> list[str]:
    """Returns the files of Python that a page names, and what is in them.

    "nppnet_tf/layers/fanout.py", "nppnet_tf/layers/", or a file with "::" and
    a dotted name behind it.
    """
    return re.findall(
        r"`((?:nppnet_tf|tools|tests)/[\w/]+(?:/|\.py(?:::[\w.]+)?))`",
        text(page),
    )


def defines(reference: str) -> bool:
    """Whether what `code_references` returned is there."""
    path, _, names = reference.partition("::")
    if path.endswith("/"):
        return (shared.REPOSITORY / path).is_dir()
    if not (shared.REPOSITORY / path).is_file():
        return False
    places = [build_file.syntax_tree(path)]
    for name in filter(None, names.split(".")):
        # A method by its bare name, too: of a test its class says little.
        places = [
            node
            for place in places
            for node in ast.walk(place)
            if isinstance(node, ast.ClassDef | ast.FunctionDef)
            and node.name == name
        ]
    return bool(places)


def tool_commands(page: str) -> list[Command]:
    """Returns the commands of a page that run tools of ours."""
    return [
        command
        for block in blocks(page)
        if block.language == "bash"
        for command in commands(block)
        if command.tool is not None
    ]


def known_tools() -> list[str]:
    """Returns the names of the tools."""
    return build_file.tool_names()
