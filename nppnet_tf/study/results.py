"""The file of a study's results: one line for every finished unit.

Each line names the settings that it was made with, so that results of two
studies may lie in one file and never mix. Each line is added behind all that
are there, also behind those that other processes have added meanwhile. A
process that is killed leaves at most a part of the last line, which the next
one to write removes.
"""

import dataclasses
import fcntl
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files
from nppnet_tf.study import result_forms

FORMAT = "nppnet_tf.study"

# Kinds of units.
SETTINGS = "settings"
SEARCH = "search"
NETWORK = "network"
SPEED = "speed"
SUPERNET = "supernet"
TRAINING = "training"

_FORMS = {
    SETTINGS: result_forms.SETTINGS,
    SEARCH: result_forms.SEARCH,
    NETWORK: result_forms.NETWORK,
    SPEED: result_forms.SPEED,
    SUPERNET: result_forms.SUPERNET,
    TRAINING: result_forms.TRAINING,
}


@dataclasses.dataclass(frozen=True)
class Unit:
    """One piece of work of a study.

    Attributes:
        kind: `SEARCH`, `NETWORK` (what a system is made of at a seed), `SPEED`
            (seconds of a step beside those of the searched network),
            `SUPERNET` (scores of genotypes with inherited weights) or
            `TRAINING`.
        system: Name of the system, or of the strategy of a search.
        seed: Seed of everything that is drawn.
        budget: What a training has as much of as the others'.
        learning_rate: Learning rate of a training.
    """

    kind: str
    system: str = ""
    seed: int = 0
    budget: str = ""
    learning_rate: float = 0.0

    def __str__(self) -> str:
        words = [self.kind, self.system, f"seed {self.seed}"]
        if self.budget:
            words += [f"equal {self.budget}", f"rate {self.learning_rate:g}"]
        return ", ".join(word for word in words if word)


class Results:
    """Results of one study, in memory and in a file.

    Args:
        path: File of lines; made with the first result.
        digest: Name of the settings; lines of others are kept and not read.

    Raises:
        UserError: A line, but for a last one without an end, is none, or one of
            these settings lacks something.
    """

    def __init__(self, path: str | os.PathLike[str], digest: str) -> None:
        self.path = pathlib.Path(path)
        self.digest = digest
        self.num_others = 0
        self.settings: list[dict[str, Any]] = []
        self._found: dict[Unit, dict[str, Any]] = {}
        for unit, result in self._read():
            if unit.kind == SETTINGS:
                self.settings.append(result)
            else:
                self._found[unit] = result

    def __contains__(self, unit: Unit) -> bool:
        return unit in self._found

    def __getitem__(self, unit: Unit) -> dict[str, Any]:
        return self._found[unit]

    def __len__(self) -> int:
        return len(self._found)

    def of_kind(self, kind: str) -> dict[Unit, dict[str, Any]]:
        """Returns the results of one kind of units, in the file's order."""
        return {
            unit: found
            for unit, found in self._found.items()
            if unit.kind == kind
        }

    def add(self, unit: Unit, result: Mapping[str, Any]) -> None:
        """Adds a line to the file, on the disk before this returns."""
        line = {
            "format": FORMAT,
            "settings": self.digest,
            "unit": dataclasses.asdict(unit),
            "result": result,
        }
        text = json.dumps(line, allow_nan=False) + "\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            atomic.naming(self.path),
            self.path.open("a+b") as file,
        ):
            # Studies of other settings may add lines at this moment.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            size, lacking = _whole_lines(file.read())
            file.truncate(size)
            file.write(lacking + text.encode())
            file.flush()
            os.fsync(file.fileno())
        found = json.loads(text)["result"]
        if unit.kind == SETTINGS:
            self.settings.append(found)
        else:
            self._found[unit] = found

    def _read(self) -> list[tuple[Unit, dict[str, Any]]]:
        if not self.path.exists():
            return []
        data = text_files.read_bytes(self.path, text_files.MAX_BYTES)
        size, _ = _whole_lines(data)
        text = text_files.decode(data[:size], self.path).removesuffix("\n")
        # Not `splitlines`, which knows other ends.
        lines = text.split("\n") if text else []
        rows = []
        for number, line in enumerate(lines, 1):
            where = f"{self.path}, line {number}"
            digest, unit, result = _parse(line, where)
            if digest == self.digest:
                form = _FORMS[unit.kind]
                json_documents.require_form(result, form, where, "result")
                rows.append((unit, result))
            else:
                self.num_others += 1
        return rows


def _whole_lines(data: bytes) -> tuple[int, bytes]:
    """Returns how many bytes are whole lines, and what the last one lacks.

    An editor may have taken away the end of the last line; what else has no
    end is half a line of a process that was killed.
    """
    size = max(data.rfind(end) + 1 for end in (b"\n", b"\r"))
    try:
        json_documents.parse(text_files.decode(data[size:], ""), "")
    except UserError:
        return size, b""
    return len(data), b"\n"


def _parse(line: str, where: str) -> tuple[str, Unit, dict[str, Any]]:
    row = json_documents.parse(line, where)
    json_documents.require(row, "an object", where, "line")
    try:
        unit = Unit(**row["unit"])
        json_documents.require_form(
            dataclasses.asdict(unit), result_forms.UNIT, where, "unit"
        )
        if row["format"] == FORMAT and unit.kind in _FORMS:
            result = row["result"]
            json_documents.require(result, "an object", where, "result")
            return str(row["settings"]), unit, result
    except json_documents.FORM_ERRORS as error:
        raise UserError(
            "not a result of a study", where, f"a line of {FORMAT}", error
        ) from error
    raise UserError(
        "not a result of a study",
        where,
        f"a line of {FORMAT}, {', '.join(_FORMS)}",
        f"{row['format']}, {unit.kind}",
    )
