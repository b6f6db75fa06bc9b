"""The contact sheet of a data set: suspects first, then samples at random."""

import collections
import itertools
import pathlib
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from PIL import Image

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.source import Sample
from nppnet_tf.data.source import Source
from nppnet_tf.dataset_check import findings
from nppnet_tf.dataset_check.findings import Finding
from nppnet_tf.drawing import contact_sheet
from nppnet_tf.drawing.contact_sheet import Tile
from nppnet_tf.errors import UserError
from nppnet_tf.files import atomic
from nppnet_tf.pictures import picture_files

# A sample: its split and its id.
Key = tuple[str, str]

# Suspects of one kind that stand side by side.
_IN_A_TURN = 6


def tiles(
    sources: Mapping[str, Source],
    found: Mapping[str, Sequence[Finding]],
    num_suspects: int,
    num_drawn: int,
    seed: int,
) -> list[Tile]:
    """Returns suspects, the worst first, and samples drawn at random.

    Args:
        sources: What was read, by the name of the split.
        found: Every finding, by split.
        num_suspects: Suspects at most.
        num_drawn: Samples without a finding at most.
        seed: Seed of what is drawn at random.

    Returns:
        A tile for each sample whose picture can be read.
    """
    samples = {
        (name, sample.record_id): sample
        for name, source in sources.items()
        for sample in source.samples
    }
    by_sample = _by_sample(found)
    suspects = _by_turns(
        [(key, by_sample[key][0].kind) for key in by_sample if key in samples]
    )
    others = [key for key in samples if key not in by_sample]
    order = np.random.default_rng(seed).permutation(len(others))
    drawn = [others[place] for place in order]

    def visible(keys: Sequence[Key]) -> Iterator[Tile]:
        for key in keys:
            text = "; ".join(
                f"{each.kind}: {each.detail}" for each in by_sample.get(key, ())
            )
            tile = _tile("/".join(key), text, samples[key])
            # Of a picture that cannot be read there is nothing to look at.
            if tile.image is not None:
                yield tile

    return [
        *itertools.islice(visible(suspects), num_suspects),
        *itertools.islice(visible(drawn), num_drawn),
    ]


def write_sheet(
    path: pathlib.Path, shown: Sequence[Tile], descriptor: DatasetDescriptor
) -> None:
    """Writes the tiles as one picture; none makes no picture."""
    if not shown:
        return
    heading = (
        f"{descriptor.name}: blue is left, orange is right, a ring is an "
        "occluded joint; what is red was found"
    )
    sheet = contact_sheet.contact_sheet(shown, descriptor, heading)
    with atomic.atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, "PNG")


def _by_sample(
    found: Mapping[str, Sequence[Finding]],
) -> dict[Key, list[Finding]]:
    """What was found of each sample; samples and findings, the worst first."""
    by_sample: dict[Key, list[Finding]] = {}
    ranked = sorted(
        ((name, each) for name, every in found.items() for each in every),
        key=lambda place: findings.rank(place[1].kind),
    )
    for name, finding in ranked:
        by_sample.setdefault((name, finding.record_id), []).append(finding)
    return by_sample


def _by_turns(suspects: Sequence[tuple[Key, str]]) -> list[Key]:
    """Some of every kind, then some more: no kind fills the sheet."""
    seen: collections.Counter[str] = collections.Counter()
    turns = []
    for place, (key, kind) in enumerate(suspects):
        turns.append((seen[kind] // _IN_A_TURN, place, key))
        seen[kind] += 1
    return [key for _, _, key in sorted(turns)]


def _tile(title: str, text: str, sample: Sample) -> Tile:
    try:
        record = sample.load()
        image = picture_files.decode(record.image_bytes)
    except UserError:
        return Tile(title, text, _picture_alone(sample))
    label_map = record.label_map
    if label_map is not None and label_map.shape != image.shape[:2]:
        label_map = None
    return Tile(
        title, text, image, label_map, record.keypoints_xy, record.visibility
    )


def _picture_alone(sample: Sample) -> np.ndarray | None:
    """The picture where only the annotation is wrong, or None."""
    try:
        return picture_files.decode(picture_files.read_bytes(sample.paths[0]))
    except (UserError, OSError):
        return None
