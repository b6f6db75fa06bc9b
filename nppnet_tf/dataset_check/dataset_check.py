"""All samples of a data set together: leakage, copies, statistics.

The report is one dictionary of plain values; `FORMAT_VERSION` counts changes
of its form.
"""

import collections
import itertools
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from nppnet_tf import keys
from nppnet_tf.data import source
from nppnet_tf.data.absence import Annotations
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.record import ABSENT
from nppnet_tf.data.record import OCCLUDED
from nppnet_tf.data.record import VISIBLE
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check.examination import Examined
from nppnet_tf.dataset_check.findings import Finding

FORMAT = "nppnet_tf.dataset_check"
FORMAT_VERSION = 1

# Of 128 bits of a fingerprint, those in which similar pictures may differ.
_SIMILAR_BITS = 4
# Pictures compared with all others at once.
_COMPARED_AT_ONCE = 1024

# Label maps that tell which classes there are.
_LEAST_LABEL_MAPS = 3

# Votes from which on a split as a whole is judged.
_LEAST_VOTES = 20
_LEAST_FACING_VOTES = 200
# Most people of a photographer face him: of LIP, two thirds.
_FACING_SHARE = 0.4

Place = tuple[str, Examined]


def judge(
    splits: Mapping[str, Sequence[Examined]], descriptor: DatasetDescriptor
) -> dict[str, list[Finding]]:
    """Finds what no sample shows alone.

    Args:
        splits: Examined samples by the name of their split.
        descriptor: What they annotate.

    Returns:
        All findings by split, those of the samples among them.
    """
    found = {
        name: [each for sample in samples for each in sample.findings]
        for name, samples in splits.items()
    }
    for name, samples in splits.items():
        found[name] += _missing_annotations(samples)
        found[name] += _sides(samples, descriptor)
        found[name] += _classes_used(samples, descriptor)
    for name, finding in itertools.chain(
        _repeated_ids(splits), _copies(splits), _similar(splits)
    ):
        found[name].append(finding)
    return found


def absent_tasks(
    samples: Sequence[Examined],
    annotations: Mapping[str, Annotations],
    required: Collection[str],
) -> list[Finding]:
    """Finds the tasks of which a whole split has nothing.

    Args:
        samples: Examined samples of the split.
        annotations: What its reader found, by task.
        required: Tasks of which there must be something.
    """
    readable = [sample for sample in samples if sample.size is not None]
    found = []
    for task, attribute, kind in (
        (keys.PARSING, "class_pixels", findings.NO_LABEL_MAPS),
        (keys.POSE, "visibility", findings.NO_POSES),
    ):
        each = annotations.get(task, Annotations(0, 0, "it"))
        if task not in required or any(
            getattr(sample, attribute) is not None for sample in readable
        ):
            continue
        if not each.found:
            detail = f"{each.places} is missing"
        elif readable:
            detail = f"none of {each.found} tells anything"
        else:
            continue
        detail += f"; {each.nearest}" if each.nearest else ""
        found.append(Finding(findings.WHOLE_SPLIT, kind, detail))
    return found


def statistics(
    samples: Sequence[Examined], descriptor: DatasetDescriptor
) -> dict[str, Any]:
    """Counts of one split: sizes, classes, joints, sides."""
    labeled = [s for s in samples if s.class_pixels is not None]
    posed = [s for s in samples if s.visibility is not None]
    own = sum(sample.own_side for sample in samples)
    other = sum(sample.other_side for sample in samples)
    votes, right = np.sum([(0, 0), *(s.left_of for s in samples)], axis=0)
    return {
        "num_samples": len(samples),
        "num_readable": sum(sample.size is not None for sample in samples),
        "num_label_maps": len(labeled),
        "num_poses": len(posed),
        "sizes": _sizes(samples),
        "classes": _classes(labeled, descriptor),
        "joints": _joints(posed, descriptor),
        "sides": {
            "joints_on_own_side": own,
            "joints_on_other_side": other,
            "can_be_known": own + other > 0,
            "left_parts_seen_right_of_right_ones": _share(right, votes),
            "compared_parts": int(votes),
        },
    }


def _missing_annotations(samples: Sequence[Examined]) -> list[Finding]:
    """What most samples have and some lack."""
    readable = [sample for sample in samples if sample.size is not None]
    found = []
    for kind, attribute in (
        (findings.MISSING_LABEL_MAP, "class_pixels"),
        (findings.MISSING_POSE, "visibility"),
    ):
        lacking = [s for s in readable if getattr(s, attribute) is None]
        if len(lacking) < len(readable) / 2:
            # One that is there and wrong has been told already.
            found += [
                Finding(sample.record_id, kind, "others have one")
                for sample in lacking
                if not _is_told(sample)
            ]
    return found


def _classes_used(
    samples: Sequence[Examined], descriptor: DatasetDescriptor
) -> list[Finding]:
    """What ids say that are right alone and wrong together."""
    labeled = [s.class_pixels for s in samples if s.class_pixels is not None]
    totals = np.sum([np.zeros(descriptor.num_classes, int), *labeled], axis=0)
    found = []
    if totals.any() and not totals[0]:
        detail = (
            f"no pixel of {descriptor.classes[0]}, 0, in {len(labeled)} label "
            "maps"
        )
        kind = findings.NO_BACKGROUND
        found.append(Finding(findings.WHOLE_SPLIT, kind, detail))
    unused = [
        name
        for name, total in zip(descriptor.classes, totals, strict=True)
        if not total
    ]
    if (
        len(labeled) >= _LEAST_LABEL_MAPS
        and 2 * len(unused) > descriptor.num_classes
    ):
        detail = (
            f"{len(unused)} of {descriptor.num_classes} classes in none of "
            f"{len(labeled)} label maps: {source.listed(unused)}"
        )
        kind = findings.UNUSED_CLASSES
        found.append(Finding(findings.WHOLE_SPLIT, kind, detail))
    return found


def _is_told(sample: Examined) -> bool:
    told = (
        findings.SIZE_MISMATCH,
        findings.MALFORMED_ANNOTATION,
        findings.IGNORED_LABEL_MAP,
    )
    return any(each.kind in told for each in sample.findings)


def _sides(
    samples: Sequence[Examined], descriptor: DatasetDescriptor
) -> list[Finding]:
    sides = statistics(samples, descriptor)["sides"]
    own, other = sides["joints_on_own_side"], sides["joints_on_other_side"]
    if own + other >= _LEAST_VOTES and other > own:
        detail = f"{other} of {own + other} joints on parts of the other side"
        kind = findings.SIDES_SWAPPED_EVERYWHERE
        return [Finding(findings.WHOLE_SPLIT, kind, detail)]
    share = sides["left_parts_seen_right_of_right_ones"]
    votes = sides["compared_parts"]
    # Where joints confirm the sides, people may look as they like.
    is_open = own < _LEAST_VOTES and votes >= _LEAST_FACING_VOTES
    if is_open and share < _FACING_SHARE:
        detail = (
            f"left parts are seen right of right ones in {share:.0%} of "
            f"{votes} pairs, as if most people turned their backs"
        )
        return [Finding(findings.WHOLE_SPLIT, findings.SIDES_UNLIKELY, detail)]
    return []


def _repeated_ids(
    splits: Mapping[str, Sequence[Examined]],
) -> list[tuple[str, Finding]]:
    first: dict[str, str] = {}
    found = []
    for name, samples in splits.items():
        counts = collections.Counter(sample.record_id for sample in samples)
        for record_id, count in counts.items():
            other = first.setdefault(record_id, name)
            if other != name:
                detail = f"also in {other}"
                kind = findings.ID_IN_SPLITS
                found.append((name, Finding(record_id, kind, detail)))
            if count > 1:
                kind = findings.DUPLICATED_ID
                detail = f"{count} times"
                found.append((name, Finding(record_id, kind, detail)))
    return found


def _places(splits: Mapping[str, Sequence[Examined]]) -> list[Place]:
    return [
        (name, sample)
        for name, samples in splits.items()
        for sample in samples
        if sample.size is not None
    ]


def _copies(
    splits: Mapping[str, Sequence[Examined]],
) -> list[tuple[str, Finding]]:
    """Pictures whose pixels, or whose larger picture, are there already."""
    first_content: dict[str | None, Place] = {}
    first_picture: dict[str, Place] = {}
    found = []
    for name, sample in _places(splits):
        other_name, other = first_content.setdefault(
            sample.content, (name, sample)
        )
        same = "the same pixels as"
        if other is sample and sample.picture_id is not None:
            # People of one picture belong into one split.
            other_name, other = first_picture.setdefault(
                sample.picture_id, (name, sample)
            )
            same = f"of one picture, {sample.picture_id}, with"
            if other_name == name:
                continue
        if other is sample:
            continue
        kind = findings.DUPLICATED_PICTURE
        if other_name != name:
            kind = findings.PICTURE_IN_SPLITS
        detail = f"{same} {other.record_id} of {other_name}"
        found.append((name, Finding(sample.record_id, kind, detail)))
    return found


def _similar(
    splits: Mapping[str, Sequence[Examined]],
) -> list[tuple[str, Finding]]:
    places = [
        place for place in _places(splits) if place[1].fingerprint is not None
    ]
    if not places:
        return []
    # Bits as signs: of equal ones the product is 1, of others -1.
    signs = np.array([sample.fingerprint for _, sample in places])
    signs = 2 * signs.astype(np.float32) - 1
    least = signs.shape[1] - 2 * _SIMILAR_BITS
    found = []
    for start in range(0, len(places), _COMPARED_AT_ONCE):
        rows = slice(start, start + _COMPARED_AT_ONCE)
        agreements = signs[rows] @ signs[: rows.stop].T
        # Each with those before it; one is enough.
        for row, column in zip(
            *np.nonzero(np.tril(agreements >= least, start - 1)), strict=True
        ):
            found += _tell_similar(places[column], places[start + row])
    first = {}
    for name, finding in found:
        first.setdefault((name, finding.record_id, finding.kind), finding)
    return [(name, finding) for (name, _, _), finding in first.items()]


def _tell_similar(earlier: Place, later: Place) -> list[tuple[str, Finding]]:
    (other_name, other), (name, sample) = earlier, later
    is_one_picture = sample.picture_id is not None and (
        sample.picture_id == other.picture_id
    )
    if other.content == sample.content or is_one_picture:
        return []
    kind = findings.SIMILAR_PICTURE
    if other_name != name:
        kind = findings.SIMILAR_IN_SPLITS
    detail = f"looks like {other.record_id} of {other_name}"
    return [(name, Finding(sample.record_id, kind, detail))]


def _sizes(samples: Sequence[Examined]) -> dict[str, Any]:
    readable = [sample for sample in samples if sample.size is not None]
    if not readable:
        return {}
    sizes = np.array([sample.size for sample in readable])
    areas = sizes.prod(axis=1)
    return {
        "height": _spread(sizes[:, 0]),
        "width": _spread(sizes[:, 1]),
        "smallest": readable[int(areas.argmin())].record_id,
        "largest": readable[int(areas.argmax())].record_id,
    }


def _spread(values: np.ndarray) -> dict[str, float]:
    return {
        "least": float(values.min()),
        "median": float(np.median(values)),
        "most": float(values.max()),
    }


def _classes(
    labeled: Sequence[Examined], descriptor: DatasetDescriptor
) -> dict[str, Any]:
    pixels = np.zeros(descriptor.num_classes, np.int64)
    pictures = np.zeros(descriptor.num_classes, np.int64)
    for sample in labeled:
        pixels += sample.class_pixels
        pictures += sample.class_pixels > 0
    return {
        name: {
            "pixel_share": _share(pixels[number], pixels.sum()),
            "picture_share": _share(pictures[number], len(labeled)),
            "pictures": int(pictures[number]),
        }
        for number, name in enumerate(descriptor.classes)
    }


def _joints(
    posed: Sequence[Examined], descriptor: DatasetDescriptor
) -> dict[str, Any]:
    visibility = np.array([s.visibility for s in posed], np.int32)
    visibility = visibility.reshape(-1, descriptor.num_keypoints)
    on_parts = np.array(
        [s.on_parts for s in posed if s.on_parts is not None], np.float64
    ).reshape(-1, descriptor.num_keypoints)
    known = ~np.isnan(on_parts)
    return {
        name: {
            "visible": int((visibility[:, k] == VISIBLE).sum()),
            "occluded": int((visibility[:, k] == OCCLUDED).sum()),
            "absent": int((visibility[:, k] == ABSENT).sum()),
            "on_fitting_part": _share(
                np.nansum(on_parts[:, k]), known[:, k].sum()
            ),
        }
        for k, name in enumerate(descriptor.keypoints)
    }


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), 6) if whole else None
