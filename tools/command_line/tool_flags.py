"""The flags of one tool, apart from those of every other.

A tool makes its own at module level and defines its flags on it:

    FLAGS = ToolFlags()

    RECORDS = FLAGS.define_path(
        "records", None, "Folder of records.", paths.require_records
    )

and reads `RECORDS.value` once `app.run` has read the command line. Flags that
several tools share are defined by a function or a class that takes the
`ToolFlags` of the tool.
"""

import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from absl import flags

from nppnet_tf import config
from nppnet_tf.errors import UserError

from . import flag_kinds
from .flag_kinds import PathCheck


class ToolFlags(flags.FlagValues):
    """Flags by name, each of a kind that checks its value as it is read.

    Absl's own kinds take NaN, integers of any size and empty texts. A range
    stands in `--help`. What several flags say together is checked where they
    are read, too: see `require`. A path says what has to be there, or what can
    be written there; that is looked at once all flags are read, before the
    tool begins: see `check_paths`.
    """

    def __init__(self) -> None:
        super().__init__()
        # `FlagValues` takes attributes for flags.
        self.__dict__["own_names"] = []

    def own(self) -> list[flags.Flag]:
        """Returns the flags that the tool defined, in their order."""
        return [self[name] for name in self.__dict__["own_names"]]

    def define_count(
        self,
        name: str,
        default: int | None,
        help_text: str,
        least: int = 0,
        most: int = config.MANY,
    ) -> flags.FlagHolder:
        """Defines a flag that holds an integer from `least` to `most`."""
        kind = flag_kinds.Number(least, most, True)
        return self._define(kind, name, default, help_text)

    def define_seed(
        self, name: str, default: int, help_text: str
    ) -> flags.FlagHolder:
        """Defines a flag that holds a seed."""
        return self.define_count(name, default, help_text, 0, config.MOST_SEED)

    def define_number(
        self,
        name: str,
        default: float | None,
        help_text: str,
        least: float,
        most: float,
    ) -> flags.FlagHolder:
        """Defines a flag that holds a finite number from `least` to `most`."""
        kind = flag_kinds.Number(least, most, False)
        return self._define(kind, name, default, help_text)

    def define_counts(
        self,
        name: str,
        default: Sequence[int],
        help_text: str,
        least: int = 0,
        most: int = config.MANY,
    ) -> flags.FlagHolder:
        """Defines a flag that holds integers, each larger than the one before.

        The value is a tuple. None at all is a value, too.
        """
        kind = flag_kinds.Numbers(least, most, True, 0, True)
        return self._define(kind, name, tuple(default), help_text, ",")

    def define_numbers(
        self,
        name: str,
        default: Sequence[float],
        help_text: str,
        least: float,
        most: float,
        count: int | None = None,
    ) -> flags.FlagHolder:
        """Defines a flag that holds finite numbers with commas between them.

        Args:
            name: Name of the flag.
            default: Value of the flag where it is not given.
            help_text: What it means, with its unit.
            least: Least value of each number.
            most: Largest value of each number.
            count: How many numbers, none less than the one before; without it,
                any number of them in any order. The value is a tuple.
        """
        kind = flag_kinds.Numbers(least, most, False, count, False)
        return self._define(kind, name, tuple(default), help_text, ",")

    def define_size(
        self, name: str, default: tuple[int, int], help_text: str
    ) -> flags.FlagHolder:
        """Defines a flag that holds the size of a network's input.

        The value is (height, width).
        """
        return self._define(flag_kinds.Size(), name, default, help_text, "x")

    def define_side(
        self, name: str, default: int, help_text: str
    ) -> flags.FlagHolder:
        """Defines a flag that holds the side of a network's square input."""
        return self._define(flag_kinds.Side(), name, default, help_text)

    def define_span(
        self, name: str, default: str | None, help_text: str
    ) -> flags.FlagHolder:
        """Defines a flag that holds FIRST:LAST, integers from 1 on, as text."""
        return self._define(flag_kinds.Span(), name, default, help_text)

    def define_text(
        self, name: str, default: str | None, help_text: str
    ) -> flags.FlagHolder:
        """Defines a flag that holds a name or a title; not an empty one."""
        return self._define(flag_kinds.Text(), name, default, help_text)

    def define_choice(
        self,
        name: str,
        default: str | None,
        choices: Sequence[str],
        help_text: str,
    ) -> flags.FlagHolder:
        """Defines a flag that holds one of some words."""
        self.__dict__["own_names"].append(name)
        return flags.DEFINE_enum(
            name, default, list(choices), help_text, flag_values=self
        )

    def define_switch(
        self, name: str, default: bool, help_text: str
    ) -> flags.FlagHolder:
        """Defines a flag that is on or off: `--name`, `--noname`."""
        self.__dict__["own_names"].append(name)
        return flags.DEFINE_bool(name, default, help_text, flag_values=self)

    def define_path(
        self, name: str, default: str | None, help_text: str, check: PathCheck
    ) -> flags.FlagHolder:
        """Defines a flag that holds a path, or a name in the place of a file.

        Args:
            name: Name of the flag.
            default: Value of the flag where it is not given.
            help_text: What it means.
            check: What has to be there, mostly a function of `paths`.
        """
        return self._define(flag_kinds.Path(check), name, default, help_text)

    def define_paths(
        self, name: str, help_text: str, check: PathCheck
    ) -> flags.FlagHolder:
        """Defines a flag that holds paths with commas between them, none empty.

        The value is a list; an empty one where the flag is not given.

        Args:
            name: Name of the flag.
            help_text: What it means.
            check: What has to be at each path, as of `define_path`.
        """
        self.__dict__["own_names"].append(name)
        return flags.DEFINE(
            flag_kinds.Paths(check),
            name,
            [],
            help_text,
            flag_values=self,
            serializer=flags.CsvListSerializer(","),
        )

    def define_output(
        self, name: str, default: str | None, help_text: str, check: PathCheck
    ) -> flags.FlagHolder:
        """Defines a flag that holds a path to write to; as `define_path`."""
        return self._define(flag_kinds.Output(check), name, default, help_text)

    def require(
        self,
        names: Sequence[str],
        is_right: Callable[[Mapping[str, Any]], bool],
        expected: str,
    ) -> None:
        """Lets flags that do not fit each other be refused as they are read.

        Args:
            names: Names of flags that are defined.
            is_right: Gets their values by name.
            expected: What would be right, for the message.
        """
        flags.register_multi_flags_validator(
            names, is_right, f"expected {expected}", flag_values=self
        )

    def require_batch(self, batch_size: str, image_size: str) -> None:
        """Lets batches that no memory holds be refused.

        Args:
            batch_size: Name of the flag with the number of pictures.
            image_size: Name of that with their size or side.
        """

        def fits(values: Mapping[str, Any]) -> bool:
            size = values[image_size]
            height, width = size if isinstance(size, tuple) else (size, size)
            pixels = values[batch_size] * height * width
            return pixels <= config.MOST_BATCH_PIXELS

        self.require(
            [batch_size, image_size],
            fits,
            f"at most {config.MOST_BATCH_PIXELS} pixels in a batch",
        )

    def check_paths(self) -> None:
        """Looks at all paths; first at outputs, which takes no reading.

        Raises:
            UserError: A flag holds a path that cannot be used.
        """
        kinds = (flag_kinds.Path, flag_kinds.Paths)
        with_path = [f for f in self.own() if isinstance(f.parser, kinds)]
        with_path.sort(
            key=lambda flag: not isinstance(flag.parser, flag_kinds.Output)
        )
        for flag in with_path:
            paths = flag.value or []
            for path in [paths] if isinstance(paths, str) else paths:
                flag.parser.check(path, f"--{flag.name}")

    def values_together(self, *names: str) -> tuple | None:
        """Returns the values of flags that are given together or not at all.

        Args:
            *names: Names of the flags.

        Returns:
            Their values; None where none of them is given.

        Raises:
            UserError: Some are given and some are not.
        """
        values = tuple(self[name].value for name in names)
        if all(values):
            return values
        if any(values):
            missing = next(
                name
                for name, value in zip(names, values, strict=True)
                if not value
            )
            raise UserError(
                "flag is missing",
                f"--{missing}",
                " and ".join(f"--{name}" for name in names),
            )
        return None

    def require_given(self, *names: str) -> None:
        """Raises a UserError for the first of these flags that is not given."""
        for name in names:
            if not self[name].value:
                raise UserError(
                    "flag is missing", f"--{name}", "a value", "nothing"
                )

    def refuse_idle(self, needed: str, *names: str) -> None:
        """Refuses flags that say nothing without another.

        Args:
            needed: What they would need.
            *names: Names of the flags.

        Raises:
            UserError: One of them does not have its default.
        """
        for flag in (self[name] for name in names):
            if flag.value != flag.default:
                raise UserError(
                    "flag sets what is not in use",
                    flag.serialize(),
                    f"with it {needed}, or none of it",
                    "nothing that it is of",
                )

    def text_of(self, name: str) -> str:
        """Returns the value of a flag as a user may type it."""
        flag = self[name]
        return flag.serializer.serialize(flag.value)

    def resolved(self) -> str:
        """Returns the tool's flags with their values, as a flag file."""
        lines = [
            flag.serialize() for flag in self.own() if flag.value is not None
        ]
        return "".join(f"{line}\n" for line in sorted(lines) if line)

    def in_flags(self, text: str) -> str:
        """Returns a text of a library with its arguments as flags.

        Libraries write arguments in backquotes; those that are flags of the
        tool become what a user types: "`num_replicas`" is `--num_replicas`.
        """
        own = self.__dict__["own_names"]
        return re.sub(
            r"`(\w+)`",
            lambda match: f"--{match[1]}" if match[1] in own else match[0],
            text,
        )

    def read(self, words: Sequence[str]) -> list[str]:
        """Reads a command line; whatever was read before is forgotten.

        Args:
            words: The program's name, then its arguments.

        Returns:
            The words that are no flags, the program's name first.

        Raises:
            flags.Error: A flag is unknown, or its value is refused.
        """
        # Libraries define theirs on absl's own.
        for flag in {flags.FLAGS[name] for name in flags.FLAGS}:
            if flag.name not in self:
                self[flag.name] = flag
        for flag in self.own():
            flag.unparse()
        return self(words)

    def _define(
        self,
        kind: flags.ArgumentParser,
        name: str,
        default: object,
        help_text: str,
        separator: str = "",
    ) -> flags.FlagHolder:
        self.__dict__["own_names"].append(name)
        return flags.DEFINE(
            kind,
            name,
            default,
            help_text,
            flag_values=self,
            serializer=flag_kinds.Serializer(separator),
        )
