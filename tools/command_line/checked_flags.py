"""Flags whose values are checked as they are read: finite, in range, given.

Absl's own kinds take NaN, integers of any size and empty texts. Every flag of
a tool is one of these kinds, a choice (`flags.DEFINE_enum`) or a yes or no
(`flags.DEFINE_bool`); its range stands in `--help`. What several flags say
together is checked where they are read, too: see `require`.

A path says what has to be there, or what can be written there; that is looked
at once all flags are read, before the tool begins: see `check_paths`.
"""

import math
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from absl import flags

# `--help` lists a flag under the module that calls this one.
flags.disclaim_key_flags()

# Gets a value and the flag's name as a user types it, `--records`; raises a
# `UserError` where the value cannot be used.
PathCheck = Callable[[str, str], object]

# Of what is counted one by one: records, epochs, steps, pictures.
MANY = 1_000_000

# Of one side of a network's input, in pixels; memory ends before.
MOST_SIDE = 4096
SIDE_MULTIPLE = 32

# Pictures of one batch, and their pixels: 13 GB as floats.
MOST_BATCH = 1 << 16
MOST_BATCH_PIXELS = 1 << 30

# What generators of random numbers take.
MOST_SEED = (1 << 32) - 1

_WHOLE = re.compile(r"[+-]?[0-9]+")
_REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]+)(?:x([0-9]+))?")
_SPAN = re.compile(r"([0-9]+):([0-9]+)")

# Digits of a number that is worth reading.
_MOST_DIGITS = 40


def define_count(
    name: str,
    default: int | None,
    help_text: str,
    least: int = 0,
    most: int = MANY,
) -> flags.FlagHolder:
    """Defines a flag that holds an integer from `least` to `most`."""
    return _define(_Number(least, most, True), name, default, help_text)


def define_seed(name: str, default: int, help_text: str) -> flags.FlagHolder:
    """Defines a flag that holds a seed."""
    return define_count(name, default, help_text, 0, MOST_SEED)


def define_number(
    name: str,
    default: float | None,
    help_text: str,
    least: float,
    most: float,
) -> flags.FlagHolder:
    """Defines a flag that holds a finite number from `least` to `most`."""
    return _define(_Number(least, most, False), name, default, help_text)


def define_counts(
    name: str,
    default: Sequence[int],
    help_text: str,
    least: int = 0,
    most: int = MANY,
) -> flags.FlagHolder:
    """Defines a flag that holds integers, each larger than the one before.

    The value is a tuple. None at all is a value, too.
    """
    parser = _Numbers(least, most, True, 0, True)
    return _define(parser, name, tuple(default), help_text, ",")


def define_numbers(
    name: str,
    default: Sequence[float],
    help_text: str,
    least: float,
    most: float,
    count: int | None = None,
) -> flags.FlagHolder:
    """Defines a flag that holds finite numbers with commas between them.

    Args:
        name: Of the flag.
        default: Its value where it is not given.
        help_text: What it means, with its unit.
        least: Of each number.
        most: Of each number.
        count: How many numbers, none less than the one before; without it,
            any number of them in any order. The value is a tuple.
    """
    parser = _Numbers(least, most, False, count, False)
    return _define(parser, name, tuple(default), help_text, ",")


def define_size(
    name: str,
    default: tuple[int, int],
    help_text: str,
) -> flags.FlagHolder:
    """Defines a flag that holds the size of a network's input.

    The value is (height, width).
    """
    return _define(_Size(), name, default, help_text, "x")


def define_side(name: str, default: int, help_text: str) -> flags.FlagHolder:
    """Defines a flag that holds the side of a network's square input."""
    return _define(_Side(), name, default, help_text)


def define_span(
    name: str, default: str | None, help_text: str
) -> flags.FlagHolder:
    """Defines a flag that holds FIRST:LAST, integers from 1 on, as a text."""
    return _define(_Span(), name, default, help_text)


def define_text(
    name: str, default: str | None, help_text: str
) -> flags.FlagHolder:
    """Defines a flag that holds a name or a title; not an empty one."""
    return _define(_Text(), name, default, help_text)


def define_path(
    name: str, default: str | None, help_text: str, check: PathCheck
) -> flags.FlagHolder:
    """Defines a flag that holds a path, or a name in the place of a file.

    Args:
        name: Of the flag.
        default: Its value where it is not given.
        help_text: What it means.
        check: What has to be there, mostly a function of `paths`.
    """
    return _define(_Path(check), name, default, help_text)


def define_paths(
    name: str, help_text: str, check: PathCheck
) -> flags.FlagHolder:
    """Defines a flag that holds paths with commas between them, none empty.

    The value is a list; an empty one where the flag is not given.

    Args:
        name: Of the flag.
        help_text: What it means.
        check: Of each path, as of `define_path`.
    """
    return flags.DEFINE(
        _Paths(check),
        name,
        [],
        help_text,
        serializer=flags.CsvListSerializer(","),
    )


def define_output(
    name: str, default: str | None, help_text: str, check: PathCheck
) -> flags.FlagHolder:
    """Defines a flag that holds a path to write to; as `define_path`."""
    return _define(_Output(check), name, default, help_text)


def check_paths(own: Iterable[flags.Flag]) -> None:
    """Looks at all paths; first at those to write to, which takes no reading.

    Args:
        own: Flags of a tool, of all kinds.

    Raises:
        UserError: A flag holds a path that cannot be used.
    """
    with_path = [f for f in own if isinstance(f.parser, (_Path, _Paths))]
    with_path.sort(key=lambda flag: not isinstance(flag.parser, _Output))
    for flag in with_path:
        paths = flag.value or []
        for path in [paths] if isinstance(paths, str) else paths:
            flag.parser.check(path, f"--{flag.name}")


def require(
    names: Sequence[str],
    is_right: Callable[[Mapping[str, Any]], bool],
    expected: str,
) -> None:
    """Lets flags that do not fit each other be refused as they are read.

    Args:
        names: Of flags that are defined.
        is_right: Gets their values by name.
        expected: What would be right, for the message.
    """
    flags.register_multi_flags_validator(
        names, is_right, f"expected {expected}"
    )


def require_batch(batch_size: str, image_size: str) -> None:
    """Lets batches that no memory holds be refused.

    Args:
        batch_size: Name of the flag with the number of pictures.
        image_size: Of that with their size or side.
    """

    def fits(values: Mapping[str, Any]) -> bool:
        size = values[image_size]
        height, width = size if isinstance(size, tuple) else (size, size)
        return values[batch_size] * height * width <= MOST_BATCH_PIXELS

    require(
        [batch_size, image_size],
        fits,
        f"at most {MOST_BATCH_PIXELS} pixels in a batch",
    )


def text_of(name: str) -> str:
    """Returns the value of a flag as a user may type it."""
    flag = flags.FLAGS[name]
    return flag.serializer.serialize(flag.value)


def _define(
    parser: flags.ArgumentParser,
    name: str,
    default: object,
    help_text: str,
    separator: str = "",
) -> flags.FlagHolder:
    return flags.DEFINE(
        parser, name, default, help_text, serializer=_Serializer(separator)
    )


class _Number(flags.ArgumentParser):
    """Reads one finite number in a range."""

    def __init__(self, least: float, most: float, is_whole: bool) -> None:
        super().__init__()
        self._least = least
        self._most = most
        self._is_whole = is_whole
        kind = "an integer" if is_whole else "a number"
        self.syntactic_help = f"{kind} from {least} to {most}"

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


class _Numbers(flags.ArgumentParser):
    """Reads numbers with commas between them.

    Args:
        least: Of each.
        most: Of each.
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
        self._number = _Number(least, most, is_whole)
        self._count = count
        self._is_strict = is_strict
        kind = "integers" if is_whole else "numbers"
        order = ""
        if is_strict:
            order = ", each larger than the one before"
        elif count:
            order = ", none less than the one before"
        self.syntactic_help = (
            f"{f'{count} ' if count else ''}{kind} from {least} to {most} "
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


class _Size(flags.ArgumentParser):
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


class _Side(flags.ArgumentParser):
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


class _Span(flags.ArgumentParser):
    """Reads FIRST:LAST."""

    syntactic_help = f"FIRST:LAST, integers from 1 to {MANY:,}, as 3:5"

    def parse(self, argument: object) -> str:
        text = str(argument).strip()
        match = _SPAN.fullmatch(text[:_MOST_DIGITS])
        if not match or not 1 <= int(match[1]) <= int(match[2]) <= MANY:
            raise ValueError(f"expected {self.syntactic_help}")
        return text


class _Text(flags.ArgumentParser):
    """Takes any text but an empty one."""

    def parse(self, argument: object) -> str:
        text = str(argument)
        if not text.strip():
            raise ValueError("expected a text, found nothing")
        return text


class _Path(_Text):
    """Takes any text but an empty one, and knows what to ask of a path.

    Args:
        check: As of `define_path`.
    """

    def __init__(self, check: PathCheck) -> None:
        super().__init__()
        self.check = check


class _Output(_Path):
    """Takes the path of what is made."""


class _Paths(flags.ListParser):
    """Reads paths with commas between them.

    Args:
        check: As of `define_path`.
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
        return texts


class _Serializer(flags.ArgumentSerializer):
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
