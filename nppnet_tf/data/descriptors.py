"""What a data set annotates: classes, keypoints, mirror partners, colors.

Code asks the descriptor, never the name of a data set. Left-right knowledge
stands here once, by name, and permutations are derived from it.
"""

import dataclasses
import json
import math
import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any
from typing import Self

from nppnet_tf import keys
from nppnet_tf.errors import UserError
from nppnet_tf.files import file_names
from nppnet_tf.files import json_documents
from nppnet_tf.files import text_files

# Descriptors as users write them. Where a data set annotates one task alone,
# the other one is LIP's, so that one network serves both.
_KNOWN = pathlib.Path(__file__).parent / "known"

# A class for every value of a byte, with names of a line each, fits often.
_MAX_FILE_BYTES = 1 << 20
_MAX_KEYPOINTS = 1024

# Words and signs of the left in names of classes and joints, and of the right.
# Mirrored pictures exchange the two, so that each has to know the other.
_RIGHT_OF = {
    "left": "right",
    "Left": "Right",
    "LEFT": "RIGHT",
    "l": "r",
    "L": "R",
    "\u5de6": "\u53f3",
}
_LEFT = re.compile(
    r"left|Left|LEFT|\u5de6"
    # A letter of its own: "l_knee", "LKnee", "kneeL".
    r"|(?<![^\W_])[lL](?![^\W_])|(?<![^\W_])L(?=[A-Z][a-z])|(?<=[a-z])L$"
)

# What the entries of a descriptor are: a kind of `json_documents.require`, or
# of what a list or an object consists.
_TEXTS = ["a text"]
_KINDS: Mapping[str, Any] = {
    "name": "a text",
    "classes": _TEXTS,
    "palette": [["an integer"]],
    "class_mirrors": {"": "a text"},
    "ignore_label": "an integer",
    "keypoints": _TEXTS,
    "keypoint_mirrors": {"": "a text"},
    "skeleton": [_TEXTS],
    "keypoint_groups": {"": _TEXTS},
    "upper_body": _TEXTS,
    "unscored_keypoints": _TEXTS,
    "head_segment": _TEXTS,
    "keypoint_classes": {"": _TEXTS},
    "class_weights": ["a number"],
    "split_sizes": {"": "an integer"},
}


def _table(**changes: Any) -> Any:
    # Dictionaries cannot be hashed, and the name tells descriptors apart.
    return dataclasses.field(hash=False, **changes)


@dataclasses.dataclass(frozen=True)
class DatasetDescriptor:
    """Names of everything that a data set annotates, and facts about it.

    Attributes:
        name: Unique; what `get` takes.
        classes: Parsing classes by id; the first is the background.
        palette: (red, green, blue) of every class, 0..255.
        class_mirrors: Left-right partners by class name, each pair both ways
            round after construction.
        ignore_label: Label of pixels that count nowhere.
        keypoints: Names in the order of every keypoint array.
        keypoint_mirrors: Left-right partners by keypoint name, both ways.
        skeleton: Pairs of keypoint names that a drawing joins.
        keypoint_groups: Columns of a pose table: name to keypoints.
        upper_body: Keypoints pooled in the column of that name.
        unscored_keypoints: Keypoints that no pose score counts.
        head_segment: The two keypoints whose distance is the head size.
        keypoint_classes: Classes on which a keypoint may lie.
        class_weights: Weights of the parsing cross-entropy, or empty for ones.
        split_sizes: Samples of every published split.
    """

    name: str
    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    keypoints: tuple[str, ...]
    class_mirrors: Mapping[str, str] = _table(default_factory=dict)
    ignore_label: int = keys.IGNORE_LABEL
    keypoint_mirrors: Mapping[str, str] = _table(default_factory=dict)
    skeleton: tuple[tuple[str, str], ...] = ()
    keypoint_groups: Mapping[str, tuple[str, ...]] = _table(
        default_factory=dict
    )
    upper_body: tuple[str, ...] = ()
    unscored_keypoints: tuple[str, ...] = ()
    head_segment: tuple[str, str] | None = None
    keypoint_classes: Mapping[str, tuple[str, ...]] = _table(
        default_factory=dict
    )
    class_weights: tuple[float, ...] = ()
    split_sizes: Mapping[str, int] = _table(default_factory=dict)

    def __post_init__(self) -> None:
        """Completes the mirrors and refuses names that lead nowhere."""
        # First: what follows takes long for names without end.
        self._check_counts()
        for field in ("class_mirrors", "keypoint_mirrors"):
            object.__setattr__(self, field, _both_ways(getattr(self, field)))
        _check_names("classes", self.classes, self.classes)
        _check_names("keypoints", self.keypoints, self.keypoints)
        self._check_sizes()
        self._check_references()

    @property
    def num_classes(self) -> int:
        """Parsing classes with the background."""
        return len(self.classes)

    @property
    def num_keypoints(self) -> int:
        """Keypoints of one person."""
        return len(self.keypoints)

    @property
    def mirrored_classes(self) -> tuple[int, ...]:
        """Class id that every class id becomes in a mirrored picture."""
        return _permutation(self.classes, self.class_mirrors)

    @property
    def mirrored_keypoints(self) -> tuple[int, ...]:
        """Index k of the result takes keypoint `mirrored_keypoints[k]`."""
        return _permutation(self.keypoints, self.keypoint_mirrors)

    def keypoint_indices(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Positions of keypoints by name; ValueError for a name unknown."""
        return tuple(self.keypoints.index(name) for name in names)

    def class_indices(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Ids of classes by name; ValueError for a name unknown."""
        return tuple(self.classes.index(name) for name in names)

    def to_json(self) -> str:
        """One JSON object with the names of the attributes, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, indent=1)

    def to_values(self) -> dict[str, Any]:
        """The same as plain values, a part of another document."""
        return json.loads(self.to_json())

    @classmethod
    def from_json(cls, text: str, where: object = None) -> Self:
        """Reads what `to_json` wrote or a user wrote by hand.

        Args:
            text: A JSON object; `name`, `classes`, `palette` and `keypoints`
                are required, the rest has the defaults of the class.
            where: File the text comes from, for messages.

        Raises:
            UserError: Not JSON, an attribute unknown or missing, or names that
                do not fit together.
        """
        return cls.from_values(json_documents.parse(text, where), where)

    @classmethod
    def from_values(cls, values: Any, where: object = None) -> Self:
        """Reads the JSON object of a descriptor; see `from_json`."""
        json_documents.require(values, "an object", where, "the descriptor")
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise UserError(
                "unknown entries in a descriptor",
                where,
                ", ".join(sorted(known)),
                ", ".join(unknown),
            )
        for name, value in values.items():
            _check_kind(name, value, where)
        try:
            return cls(**{key: _frozen(value) for key, value in values.items()})
        except (TypeError, ValueError, AttributeError) as error:
            raise UserError(
                "descriptor does not fit together",
                where,
                "names and counts that agree",
                error,
            ) from error

    def _check_counts(self) -> None:
        for field, least, most in (
            ("classes", 1, self.ignore_label),
            ("keypoints", 1, _MAX_KEYPOINTS),
        ):
            count = len(getattr(self, field))
            if not least <= count <= most:
                raise ValueError(
                    f"{least} to {most} {field} are needed, those of another "
                    "descriptor (as lip) where nobody annotated any. "
                    f"Received: {count} {field}"
                )
        if not self.num_classes <= self.ignore_label <= keys.IGNORE_LABEL:
            raise ValueError(
                "the ignore label must lie behind the classes, up to "
                f"{keys.IGNORE_LABEL}. Received: "
                f"ignore_label={self.ignore_label}"
            )

    def _check_sizes(self) -> None:
        if len(self.palette) != self.num_classes:
            raise ValueError(
                "one color for every class is needed. Received: "
                f"palette of {len(self.palette)}, classes={self.num_classes}"
            )
        for color in self.palette:
            if len(color) != 3 or not all(0 <= c <= 255 for c in color):
                raise ValueError(
                    f"colors are three of 0..255. Received: {color=}"
                )
        if self.class_weights and len(self.class_weights) != self.num_classes:
            raise ValueError(
                "one weight for every class is needed. Received: "
                f"class_weights of {len(self.class_weights)}"
            )
        if not all(0 < weight < math.inf for weight in self.class_weights):
            raise ValueError(
                "weights are positive numbers. Received: "
                f"class_weights={self.class_weights}"
            )
        pairs = [*self.skeleton, self.head_segment or ("", "")]
        if wrong := [pair for pair in pairs if len(pair) != 2]:
            raise ValueError(f"pairs of keypoints. Received: {wrong[0]}")

    def _check_references(self) -> None:
        to_keypoints = {
            "keypoint_mirrors": tuple(self.keypoint_mirrors),
            "skeleton": sum(self.skeleton, ()),
            "keypoint_groups": sum(self.keypoint_groups.values(), ()),
            "upper_body": self.upper_body,
            "unscored_keypoints": self.unscored_keypoints,
            "head_segment": self.head_segment or (),
            "keypoint_classes": tuple(self.keypoint_classes),
        }
        for field, names in to_keypoints.items():
            _check_names(field, set(names), self.keypoints)
        of_keypoints = sum(self.keypoint_classes.values(), ())
        to_classes = {
            "class_mirrors": tuple(self.class_mirrors),
            "keypoint_classes": of_keypoints,
        }
        for field, names in to_classes.items():
            _check_names(field, set(names), self.classes)


def get(name: str) -> DatasetDescriptor:
    """Built-in descriptor of this name; UserError names those there are."""
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name not in names():
        raise UserError(
            "unknown data set", expected=", ".join(names()), found=name
        )
    return load(_KNOWN / f"{name}.json")


def of_values(value: object, where: object) -> DatasetDescriptor:
    """Returns the descriptor that a document names, or holds as a whole.

    Args:
        value: Name of a built-in one, or plain values as JSON has them.
        where: Document, for messages.

    Raises:
        UserError: It is none.
    """
    if isinstance(value, str):
        return get(value)
    return DatasetDescriptor.from_values(value, where)


def names() -> tuple[str, ...]:
    """Names of the built-in descriptors."""
    return (*_BUILT_IN, *sorted(path.stem for path in _KNOWN.glob("*.json")))


def resolve(name_or_path: str) -> DatasetDescriptor:
    """Descriptor of a name in `names()` or of a JSON file.

    Raises:
        UserError: It is neither such a name nor a file that `load` takes.
    """
    if name_or_path in names():
        return get(name_or_path)
    return load(name_or_path)


def load(path: str | os.PathLike[str]) -> DatasetDescriptor:
    """Reads a descriptor from a JSON file; see `from_json`.

    Raises:
        UserError: The file cannot be read or holds no descriptor, or one in
            which a left and its right are no mirror partners.
    """
    descriptor = DatasetDescriptor.from_json(
        text_files.read(path, _MAX_FILE_BYTES), path
    )
    for field, names, mirrors in (
        ("class_mirrors", descriptor.classes, descriptor.class_mirrors),
        (
            "keypoint_mirrors",
            descriptor.keypoints,
            descriptor.keypoint_mirrors,
        ),
    ):
        for left, right in _sided(names):
            if mirrors.get(left) != right:
                raise UserError(
                    "left and right that are no mirror partners",
                    f"{path} {field}",
                    json.dumps({left: right}, ensure_ascii=False),
                    mirrors.get(left, f"none for {left}"),
                )
    return descriptor


def _sided(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Pairs of names that differ in their side alone."""
    pairs = []
    for name in names:
        other = _LEFT.sub(lambda side: _RIGHT_OF[side[0]], name)
        if other != name and other in names:
            pairs.append((name, other))
    return pairs


def _check_kind(name: str, value: Any, where: object) -> None:
    """Raises UserError where an entry is of another kind."""
    if name == "head_segment" and value is None:
        return
    _check_parts(value, _KINDS[name], where, name)


def _check_parts(value: Any, kind: Any, where: object, name: str) -> None:
    if isinstance(kind, str):
        json_documents.require(value, kind, where, name)
        if kind == "a text":
            file_names.require_text(value, where)
    elif isinstance(kind, list):
        json_documents.require(value, "a list", where, name)
        for number, part in enumerate(value):
            _check_parts(part, kind[0], where, f"{name}[{number}]")
    else:
        json_documents.require(value, "an object", where, name)
        for key, part in value.items():
            file_names.require_text(key, where)
            _check_parts(part, kind[""], where, f"{name}[{key!r}]")


def _both_ways(mirrors: Mapping[str, str]) -> dict[str, str]:
    both = {**mirrors, **{right: left for left, right in mirrors.items()}}
    if any(both[both[name]] != name for name in both):
        raise ValueError(
            f"a name has two mirror partners. Received: mirrors={mirrors}"
        )
    return both


def _check_names(field: str, names: Any, known: tuple[str, ...]) -> None:
    names = list(names)
    if len(set(names)) != len(names):
        raise ValueError(f"names must differ. Received: {field}={names}")
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"unknown names. Received: {field}={unknown}")


def _permutation(
    names: tuple[str, ...], mirrors: Mapping[str, str]
) -> tuple[int, ...]:
    return tuple(names.index(mirrors.get(name, name)) for name in names)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value


def _sides(*names: str) -> dict[str, str]:
    return {f"left_{name}": f"right_{name}" for name in names}


def _limb_skeleton(*chains: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Joins neighbors of every chain, on the left and on the right side."""
    return tuple(
        (f"{side}_{start}", f"{side}_{end}")
        for side in ("left", "right")
        for chain in chains
        for start, end in zip(chain[:-1], chain[1:], strict=True)
    )


def _limb_classes(
    arm: tuple[str, ...], leg: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Classes for elbow and wrist, knee and ankle; {side} is filled in."""
    parts = {"elbow": arm, "wrist": arm, "knee": leg, "ankle": leg}
    return {
        f"{side}_{joint}": tuple(
            name.format(side=side.capitalize()) for name in names
        )
        for side in ("left", "right")
        for joint, names in parts.items()
    }


_LIP_TOPS = ("Upper-clothes", "Dress", "Coat", "Jumpsuits", "Scarf")
_LIP_BOTTOMS = ("Dress", "Coat", "Pants", "Jumpsuits", "Skirt")
_LIP_LEGS = ("{side}-leg", "{side}-shoe", "Socks", *_LIP_BOTTOMS)

# The order of keypoints is LIP's own, which is MPII's; palette and mirror
# pairs as published with the data set (human_colormap.mat).
LIP = DatasetDescriptor(
    name="lip",
    classes=(
        "Background",
        "Hat",
        "Hair",
        "Glove",
        "Sunglasses",
        "Upper-clothes",
        "Dress",
        "Coat",
        "Socks",
        "Pants",
        "Jumpsuits",
        "Scarf",
        "Skirt",
        "Face",
        "Left-arm",
        "Right-arm",
        "Left-leg",
        "Right-leg",
        "Left-shoe",
        "Right-shoe",
    ),
    palette=(
        (0, 0, 0),
        (128, 0, 0),
        (255, 0, 0),
        (0, 85, 0),
        (170, 0, 51),
        (255, 85, 0),
        (0, 0, 85),
        (0, 119, 221),
        (85, 85, 0),
        (0, 85, 85),
        (85, 51, 0),
        (52, 86, 128),
        (0, 128, 0),
        (0, 0, 255),
        (51, 170, 221),
        (0, 255, 255),
        (85, 255, 170),
        (170, 255, 85),
        (255, 255, 0),
        (255, 170, 0),
    ),
    class_mirrors={
        "Left-arm": "Right-arm",
        "Left-leg": "Right-leg",
        "Left-shoe": "Right-shoe",
    },
    keypoints=(
        "right_ankle",
        "right_knee",
        "right_hip",
        "left_hip",
        "left_knee",
        "left_ankle",
        "pelvis",
        "thorax",
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
    keypoint_mirrors=_sides(
        "ankle", "knee", "hip", "wrist", "elbow", "shoulder"
    ),
    skeleton=(
        ("head_top", "upper_neck"),
        ("upper_neck", "thorax"),
        ("thorax", "pelvis"),
        ("thorax", "left_shoulder"),
        ("thorax", "right_shoulder"),
        ("pelvis", "left_hip"),
        ("pelvis", "right_hip"),
        *_limb_skeleton(
            ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
        ),
    ),
    keypoint_groups={
        "head": ("upper_neck", "head_top"),
        "shoulder": ("right_shoulder", "left_shoulder"),
        "elbow": ("right_elbow", "left_elbow"),
        "wrist": ("right_wrist", "left_wrist"),
        "hip": ("right_hip", "left_hip"),
        "knee": ("right_knee", "left_knee"),
        "ankle": ("right_ankle", "left_ankle"),
    },
    upper_body=(
        "upper_neck",
        "head_top",
        "right_wrist",
        "right_elbow",
        "right_shoulder",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
    ),
    unscored_keypoints=("pelvis", "thorax"),
    head_segment=("head_top", "upper_neck"),
    keypoint_classes={
        **_limb_classes(("{side}-arm", "Glove", *_LIP_TOPS), _LIP_LEGS),
        "head_top": ("Hat", "Hair", "Face"),
        "upper_neck": ("Face", "Hair", *_LIP_TOPS),
        "thorax": ("Face", "Hair", *_LIP_TOPS),
        "left_shoulder": ("Left-arm", "Hair", *_LIP_TOPS),
        "right_shoulder": ("Right-arm", "Hair", *_LIP_TOPS),
        "pelvis": ("Upper-clothes", *_LIP_BOTTOMS),
        "left_hip": ("Left-leg", "Upper-clothes", *_LIP_BOTTOMS),
        "right_hip": ("Right-leg", "Upper-clothes", *_LIP_BOTTOMS),
    },
    class_weights=(
        0.7602572,
        0.94236198,
        0.85644457,
        1.04346266,
        1.10627293,
        0.80980162,
        0.95168713,
        0.8403769,
        1.05798412,
        0.85746254,
        1.01274366,
        1.05854692,
        1.03430773,
        0.84867818,
        0.88027721,
        0.87580925,
        0.98747462,
        0.9876475,
        1.00016535,
        1.00108882,
    ),
    split_sizes={"train": 30462, "val": 10000, "test": 10000},
)

# Parts have no sides, so mirroring a picture changes keypoints only.
PASCAL_PERSON_PART = DatasetDescriptor(
    name="pascal_person_part",
    classes=(
        "Background",
        "Head",
        "Torso",
        "Upper-arm",
        "Lower-arm",
        "Upper-leg",
        "Lower-leg",
    ),
    palette=(
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (128, 128, 0),
        (0, 0, 128),
        (128, 0, 128),
        (0, 128, 128),
    ),
    keypoints=(
        "forehead",
        "neck",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "left_hip",
        "left_knee",
        "left_ankle",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
    ),
    keypoint_mirrors=_sides(
        "shoulder", "elbow", "wrist", "hip", "knee", "ankle"
    ),
    skeleton=(
        ("forehead", "neck"),
        ("neck", "left_shoulder"),
        ("neck", "right_shoulder"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("left_hip", "right_hip"),
        *_limb_skeleton(
            ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
        ),
    ),
    keypoint_groups={
        "head": ("forehead", "neck"),
        "shoulder": ("right_shoulder", "left_shoulder"),
        "elbow": ("right_elbow", "left_elbow"),
        "wrist": ("right_wrist", "left_wrist"),
        "hip": ("right_hip", "left_hip"),
        "knee": ("right_knee", "left_knee"),
        "ankle": ("right_ankle", "left_ankle"),
    },
    upper_body=(
        "forehead",
        "neck",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
    ),
    head_segment=("forehead", "neck"),
    keypoint_classes={
        "forehead": ("Head",),
        "neck": ("Head", "Torso"),
        "left_shoulder": ("Torso", "Upper-arm"),
        "right_shoulder": ("Torso", "Upper-arm"),
        "left_hip": ("Torso", "Upper-leg"),
        "right_hip": ("Torso", "Upper-leg"),
        "left_elbow": ("Upper-arm", "Lower-arm"),
        "right_elbow": ("Upper-arm", "Lower-arm"),
        "left_wrist": ("Lower-arm",),
        "right_wrist": ("Lower-arm",),
        "left_knee": ("Upper-leg", "Lower-leg"),
        "right_knee": ("Upper-leg", "Lower-leg"),
        "left_ankle": ("Lower-leg",),
        "right_ankle": ("Lower-leg",),
    },
    class_weights=(
        0.82877791,
        0.95688253,
        0.94921949,
        1.00538108,
        1.0201687,
        1.01665831,
        1.05470914,
    ),
    split_sizes={"train": 1716, "val": 1817},
)

_BUILT_IN = {
    descriptor.name: descriptor for descriptor in (LIP, PASCAL_PERSON_PART)
}
