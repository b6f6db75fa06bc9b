"""Tables of poses: rows of LIP, also as spreadsheets write them again.

    1000_0.jpg,85,268,0,nan,nan,nan,...    LIP: name; x, y and v of every joint

v is 0 for visible and 1 for occluded. Commas, semicolons or tabs; a header
row, whose names of joints are followed; a column that counts the rows; empty
cells, NaN and the like where a joint is absent, or 0 and 0 (see
`poses.are_nowhere`); numbers with a fraction.
"""

import csv
import io
import math
import os
import re
from collections.abc import Sequence

import numpy as np

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.readers import id_list
from nppnet_tf.data.readers import poses
from nppnet_tf.data.readers.poses import Pose
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import text_files

# Cells of a joint that is absent, as programs write nothing.
_ABSENT_CELLS = frozenset(
    ("", "nan", "na", "n/a", "#n/a", "<na>", "null", "none", "-")
)
# The third cell of a joint: LIP counts the other way round than MPII.
_VISIBILITIES = {0: VISIBLE, 1: OCCLUDED}

_DELIMITERS = ",;\t"
_AXES = "xyv"
# "right_knee_x", "x of right knee", "x1": what stands around an axis.
_HEADING = re.compile(
    r"^(.*?)(?:_|(?<=\d)|(?<![a-z0-9_]))(x|y|v|vis|visible|visibility)$"
)

Row = tuple[int, list[str]]


def read(
    path: str | os.PathLike[str], descriptor: DatasetDescriptor
) -> dict[str, Pose]:
    """Reads a table of poses, a row for every picture.

    Args:
        path: The file.
        descriptor: Names of the K keypoints, in the order of the columns
            where no header names them.

    Returns:
        Poses by record id (the name without its extension). A row that is
        wrong becomes a pose with a `fault`, so that its record can be named.

    Raises:
        UserError: The file cannot be read, is no such table, has joints of
            another number, a row without a name, or a name that occurs twice.
    """
    rows = _without_margins(_rows(path), descriptor.num_keypoints)
    if not rows:
        raise UserError("no poses", path, "<id>.jpg,x,y,v,...", "no row")
    order = range(descriptor.num_keypoints)
    if _is_header(rows[0][1]):
        order = _header_order(rows[0], descriptor.keypoints, path)
        rows = rows[1:]
    _check_lengths(rows, descriptor.num_keypoints, path)
    found: dict[str, Pose] = {}
    for number, row in rows:
        where = f"{path} line {number}"
        record_id = _record_id(row, where)
        if record_id in found:
            raise UserError("picture occurs twice", where, None, row[0])
        found[record_id] = _pose(row[1:], order, descriptor.keypoints, where)
    return found


def _rows(path: str | os.PathLike[str]) -> list[Row]:
    text = text_files.read(path)
    line = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=line.count)
    # A comma that divides nothing is that of a fraction.
    comma = "." if delimiter != "," else ","
    try:
        reader = csv.reader(
            io.StringIO(text),
            delimiter=delimiter,
            skipinitialspace=True,
            strict=True,
        )
        rows = [
            (
                reader.line_num,
                [
                    row[0].strip(),
                    *(c.strip().replace(",", comma) for c in row[1:]),
                ],
            )
            for row in reader
            if row
        ]
    except csv.Error as error:
        raise UserError(
            "pose CSV cannot be read",
            f"{path} line {reader.line_num}",
            "a CSV file",
            error,
        ) from error
    return [row for row in rows if any(row[1])]


def _without_margins(rows: list[Row], num_keypoints: int) -> list[Row]:
    """Takes away a column that counts rows, and one that is empty."""
    length = 3 * num_keypoints + 2
    if not rows or any(len(row) != length for _, row in rows):
        return rows
    if not any(row[-1] for _, row in rows):
        return [(number, row[:-1]) for number, row in rows]
    body = rows[1:] if _is_header(rows[0][1][1:]) else rows
    if _counts([row[0] for _, row in body]):
        return [(number, row[1:]) for number, row in rows]
    return rows


def _is_header(row: Sequence[str]) -> bool:
    """Whether no cell behind the first is a number or an absent one."""
    cells = [cell.lower() for cell in row[1:]]
    named = [cell for cell in cells if not _is_value(cell)]
    # pandas counts columns that have no names.
    return bool(cells) and (len(named) == len(cells) or _counts(cells))


def _counts(words: Sequence[str]) -> bool:
    """Whether words are 0, 1, 2, ... or 1, 2, 3, ..."""
    return any(
        list(words) == [str(first + place) for place in range(len(words))]
        for first in (0, 1)
    )


def _is_value(cell: str) -> bool:
    if cell in _ABSENT_CELLS:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    # Python takes 1000_0, the name of a picture, for a number.
    return "_" not in cell


def _header_order(
    header: Row, keypoints: Sequence[str], path: str | os.PathLike[str]
) -> Sequence[int]:
    """Place of every keypoint among the joints that a header names."""
    line, row = header
    where = f"{path} line {line}"
    words = [_plain(cell) for cell in row[1:]]
    if _counts(words):
        return range(len(keypoints))
    parts = [
        _HEADING.match(word) or _HEADING.match(_turned(word)) for word in words
    ]
    if len(words) != 3 * len(keypoints) or not all(parts):
        raise UserError(
            "header of another form",
            where,
            f"name, and x, y and v of {len(keypoints)} joints",
            ",".join(row),
        )
    stems = [part[1] for part in parts]
    axes = "".join(part[2][0] for part in parts)
    groups = [stems[place : place + 3] for place in range(0, len(stems), 3)]
    if axes != _AXES * len(keypoints) or any(len(set(g)) > 1 for g in groups):
        raise UserError(
            "columns of another order",
            where,
            "x, y and v of one joint after the other",
            ",".join(row),
        )
    return _named_order([group[0] for group in groups], keypoints, where)


def _named_order(
    names: Sequence[str], keypoints: Sequence[str], where: str
) -> Sequence[int]:
    plain = [_plain(name) for name in keypoints]
    if sorted(names) == sorted(plain):
        return [names.index(name) for name in plain]
    # "joint0", "joint1", ..., or no names at all.
    numbers = [re.sub(r"\D", "", name) for name in names]
    is_counted = len({re.sub(r"\d", "", name) for name in names}) == 1
    if is_counted and (_counts(numbers) or set(names) == {""}):
        return range(len(keypoints))
    raise UserError(
        "joints of other names than the descriptor's",
        where,
        ", ".join(plain),
        ", ".join(names),
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s_.:-]+", "_", name.strip().lower())


def _turned(word: str) -> str:
    """Returns `x_right_knee` or `x1` with the axis behind the joint."""
    return re.sub(r"^(visibility|visible|vis|x|y|v)_?(.*)$", r"\2_\1", word)


def _check_lengths(
    rows: Sequence[Row], num_keypoints: int, path: str | os.PathLike[str]
) -> None:
    expected = 3 * num_keypoints + 1
    if rows and all(len(row) != expected for _, row in rows):
        line, row = rows[0]
        raise UserError(
            "joints of another number",
            f"{path} line {line}",
            f"name and {expected - 1} cells, {num_keypoints} joints",
            f"name and {len(row) - 1} cells",
        )


def _record_id(row: Sequence[str], where: str) -> str:
    record_id = id_list.stem(file_names.last_part(row[0]))
    if not record_id or _is_value(row[0].lower()) and "." in row[0]:
        raise UserError(
            "row without a name", where, "<id>.jpg,x,y,v,...", ",".join(row)
        )
    return record_id


def _pose(
    cells: Sequence[str],
    order: Sequence[int],
    keypoints: Sequence[str],
    where: str,
) -> Pose:
    def joints() -> np.ndarray:
        if len(cells) != 3 * len(keypoints):
            raise UserError(
                "row of another length",
                where,
                f"name and {3 * len(keypoints)} cells",
                f"name and {len(cells)} cells",
            )
        return np.array(
            [
                _joint(cells[3 * place : 3 * place + 3], f"{where}, {name}")
                for place, name in zip(order, keypoints, strict=True)
            ]
        )

    return poses.checked(joints, keypoints)


def _joint(cells: Sequence[str], where: str) -> tuple[float, float, int]:
    # Without a place there is no joint, whatever its third cell says.
    if all(cell.lower() in _ABSENT_CELLS for cell in cells[:2]):
        return 0.0, 0.0, ABSENT
    try:
        x, y, visible = (float(cell) for cell in cells)
        if math.isfinite(np.float32(x)) and math.isfinite(np.float32(y)):
            return x, y, _VISIBILITIES[visible]
    except (ValueError, KeyError, OverflowError):
        pass
    raise UserError(
        "joint is malformed",
        where,
        "x,y,0 or x,y,1 or nan,nan,nan",
        ",".join(cells),
    )
