"""The one exception that users of the tools can cause, and its wording.

What kind of error it is says its class, never its text.
"""

import copy
import copyreg
from typing import Any
from typing import Self

# Of the line that a terminal or a log gets.
MAX_MESSAGE = 460

_GAP = " ... "


class UserError(Exception):
    """Says in one line what is wrong, where, what was expected and found.

    The command lines print it without a traceback and exit with status 2. The
    line has at most `MAX_MESSAGE` characters, whatever was found: the longest
    parts lose their middle. Bytes of file names that are no text, and
    characters that steer a terminal, are written as escapes.

    Attributes:
        problem: What is wrong, a short phrase.
        where: The file, folder, argument or flag.
        expected: What would have been right.
        found: What was there instead.
    """

    def __init__(
        self,
        problem: str,
        where: object = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        self.problem = problem
        self.where = where
        self.expected = expected
        self.found = found
        labels = {
            "": problem,
            "where: ": where,
            "expected: ": expected,
            "found: ": found,
        }
        given = {
            label: printable(value)
            for label, value in labels.items()
            if value is not None
        }
        available = MAX_MESSAGE - sum(len(label) + len("; ") for label in given)
        texts = _shorten_longest(list(given.values()), available)
        super().__init__(
            "; ".join(
                label + text for label, text in zip(given, texts, strict=True)
            )
        )

    def at(self, where: object) -> Self:
        """Returns the same error of a place that the caller knows better."""
        moved = copy.copy(self)
        UserError.__init__(
            moved, self.problem, where, self.expected, self.found
        )
        return moved

    def kept(self) -> Self:
        """Returns the same error as text alone, to be kept in a list.

        One that was raised holds the variables of every function that it went
        through.
        """
        kept = copy.copy(self)
        for name in ("where", "expected", "found"):
            if (value := getattr(self, name)) is not None:
                setattr(kept, name, str(value))
        return kept

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles the error as it is, whatever makes its class."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__


class AbsentSplitError(UserError):
    """A data set lacks a split that was asked for."""


class UnreadableError(UserError):
    """A file cannot be read, or is not whole."""


class TooLargeError(UnreadableError):
    """A file is larger than what is read of its kind."""


def printable(value: object) -> str:
    """Returns a text of one line that every terminal and encoding can show.

    Args:
        value: Anything; file names may hold bytes that are no text.
    """
    return escaped(" ".join(shorten(str(value), 8 * MAX_MESSAGE).split()))


def escaped(text: str) -> str:
    """Returns a text whose characters all can be shown, lines kept apart.

    Bytes of file names that are no text, and characters that steer a terminal,
    are written as escapes.
    """
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else _escape(character)
        for character in text
    )


def shorten(text: str, length: int) -> str:
    """Returns a text of at most so many characters, without its middle.

    The end of a path tells more than its beginning: two thirds are its.
    """
    if len(text) <= length:
        return text
    available = max(length - len(_GAP), 0)
    head = available // 3
    return (text[:head] + _GAP + text[len(text) - (available - head) :])[
        :length
    ]


def _escape(character: str) -> str:
    code = ord(character)
    # A byte of a file name that is no text; see os.fsdecode.
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _shorten_longest(texts: list[str], available: int) -> list[str]:
    """Cuts the longest texts to one length, so that all fit together."""
    limit = max(map(len, texts))
    while sum(min(len(text), limit) for text in texts) > available:
        limit -= 1
    return [shorten(text, limit) for text in texts]
