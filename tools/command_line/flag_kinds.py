"""Kinds of flags: values are finite, in range, given, or refused as read.

`tool_flags.ToolFlags` defines flags of these kinds.
"""

import math
import os
import re
from collections.abc import Callable

from absl import flags

from nppnet_tf.config import MANY
from nppnet_tf.config import MOST_SIDE
from nppnet_tf.config import SIDE_MULTIPLE

# Gets a value and the flag's name as a user types it, `--records`; raises a
# `UserError` where the value cannot be used.
PathCheck = Callable[[str, str], object]

_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]+)(?:x([0-9]+))?")
_SPAN = re.compile(r"([0-9]+):([0-9]+)")

# Digits of a number that is worth reading.
_MOST_DIGITS = 40


class Number(flags.ArgumentParser):
    """Reads one finite number in a range."""

    def __init__(self, least: float, most: float, is_whole: bool) -> None:
        super().__init__()
        self._least = least
        self._most = most
        self._is_whole = is_whole
        kind = "an integer" if is_whole else "a number"
        # Absl shares parsers of equal arguments: 4 and 4.0 are to look alike.
        limits = f"{_plain(least)} to {_plain(most)}"
        self.syntactic_help = f"{kind} from {limits}"

    def parse(self, argument: object) -> float:
        pattern = _WHOLE if self._is_whole else _REAL
        text = str(argument).strip()
        if len(text) > _MOST_DIGITS or not pattern.fullmatch(text):
            raise ValueError(f"expected {self.syntactic_help}")
        number = int(text) if self._is_whole else float(text)
        # A number of a large power of ten is infinite.
        if not math.isfinite(number) or not self._least <= number <= self._most:
            raise ValueError(f"expected {self.syntactic_help}")
        return number

    def flag_type(self) -> str:
        return "int" if self._is_whole else "float"


class Numbers(flags.ArgumentParser):
    """Reads numbers with commas between them.

    Args:
        least: Least value of each.
        most: Greatest value of each.
        is_whole: Whether they are integers.
        count: How many; 0 for any number, None for any but none.
        is_strict: Whether each has to be larger than the one before. Where
            the count is given, none may be smaller.
    """

    # Of a list; more is a mistake.
    _MOST = 1000

    def __init__(
        self,
        least: float,
        most: float,
        is_whole: bool,
        count: int | None,
        is_strict: bool,
    ) -> None:
        super().__init__()
        self._number = Number(least, most, is_whole)
        self._count = count
        self._is_strict = is_strict
        kind = "integers" if is_whole else "numbers"
        order = ""
        if is_strict:
            order = ", each larger than the one before"
        elif count:
            order = ", none less than the one before"
        self.syntactic_help = (
            f"{f'{count} ' if count else ''}{kind} "
            f"from {_plain(least)} to {_plain(most)} "
            f"with commas between them{order}"
        )

    def parse(self, argument: object) -> tuple[float, ...]:
        words = argument
        if isinstance(argument, str):
            words = argument.split(",") if argument.strip() else []
        try:
            if len(words) > self._MOST:
                raise ValueError(f"{len(words)} numbers")
            numbers = tuple(map(self._number.parse, words))
        except ValueError:
            raise ValueError(f"expected {self.syntactic_help}") from None
        if not (self._has_count(numbers) and self._is_ordered(numbers)):
            raise ValueError(f"expected {self.syntactic_help}")
        return numbers

    def flag_type(self) -> str:
        return "comma separated list of numbers"

    def _has_count(self, numbers: tuple[float, ...]) -> bool:
        if self._count:
            return len(numbers) == self._count
        return bool(numbers) or self._count == 0

    def _is_ordered(self, numbers: tuple[float, ...]) -> bool:
        pairs = list(zip(numbers, numbers[1:], strict=False))
        if self._is_strict:
            return all(first < second for first, second in pairs)
        return not self._count or all(
            first <= second for first, second in pairs
        )


class Size(flags.ArgumentParser):
    """Reads HEIGHTxWIDTH, or one number for both."""

    syntactic_help = (
        "HEIGHTxWIDTH or one number; multiples of "
        f"{SIDE_MULTIPLE} up to {MOST_SIDE}"
    )

    def parse(self, argument: object) -> tuple[int, int]:
        if isinstance(argument, tuple):
            return argument
        match = _SIZE.fullmatch(str(argument).strip()[:_MOST_DIGITS])
        sides = (
            [int(side or match[1]) for side in match.groups()] if match else []
        )
        if not sides or not all(map(_is_side, sides)):
            raise ValueError(
                f"expected {self.syntactic_help}, as 384 or 384x288"
            )
        height, width = sides
        return height, width

    def flag_type(self) -> str:
        return "size"


class Side(flags.ArgumentParser):
    """Reads one side of a network's input."""

    syntactic_help = f"a multiple of {SIDE_MULTIPLE} up to {MOST_SIDE}"

    def parse(self, argument: object) -> int:
        text = str(argument).strip()
        is_number = len(text) <= _MOST_DIGITS and _WHOLE.fullmatch(text)
        if not is_number or not _is_side(int(text)):
            raise ValueError(f"expected {self.syntactic_help}")
        return int(text)

    def flag_type(self) -> str:
        return "int"


class Span(flags.ArgumentParser):
    """Reads FIRST:LAST."""

    syntactic_help = f"FIRST:LAST, integers from 1 to {MANY:,}, as 3:5"

    def parse(self, argument: object) -> str:
        text = str(argument).strip()
        match = _SPAN.fullmatch(text[:_MOST_DIGITS])
        if not match or not 1 <= int(match[1]) <= int(match[2]) <= MANY:
            raise ValueError(f"expected {self.syntactic_help}")
        return text


class Text(flags.ArgumentParser):
    """Takes any text but an empty one."""

    def parse(self, argument: object) -> str:
        text = str(argument)
        if not text.strip():
            raise ValueError("expected a text, found nothing")
        return text


class Path(Text):
    """Takes any text but an empty one, and knows what to ask of a path.

    A shell does not replace `~` behind `--flag=`, and nobody does in a flag
    file: it is the user's home here, too.

    Args:
        check: Checks the value, see `define_path`.
    """

    def __init__(self, check: PathCheck) -> None:
        super().__init__()
        self.check = check

    def parse(self, argument: object) -> str:
        return os.path.expanduser(super().parse(argument))


class Output(Path):
    """Takes the path of what is made."""


class Paths(flags.ListParser):
    """Reads paths with commas between them.

    Args:
        check: Checks the value, see `define_path`.
    """

    def __init__(self, check: PathCheck) -> None:
        super().__init__()
        self.check = check
        self.syntactic_help = "paths with commas between them"

    def parse(self, argument: object) -> list[str]:
        texts = super().parse(argument)
        # A default is a list already; an empty one stands for no text.
        is_given = isinstance(argument, str)
        if (is_given and not texts) or not all(text.strip() for text in texts):
            raise ValueError(
                "expected paths with commas between them, none empty"
            )
        return [os.path.expanduser(text) for text in texts]


class Serializer(flags.ArgumentSerializer):
    """Writes a value as a user types it.

    Args:
        separator: Between the parts of a tuple.
    """

    def __init__(self, separator: str) -> None:
        self._separator = separator

    def serialize(self, value: object) -> str:
        if isinstance(value, tuple):
            return self._separator.join(map(str, value))
        return str(value)


def _is_side(side: int) -> bool:
    return 0 < side <= MOST_SIDE and side % SIDE_MULTIPLE == 0


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number
