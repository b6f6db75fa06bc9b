"""CIHP: pictures of several people, parsed into 20 classes, without joints.

    Training/Images/<id>.jpg, Category_ids/<id>.png, Human_ids/<id>.png
    Validation/..., Testing/...    as the official archive, or
    images/<id>.jpg, labels/<id>.png, instances/<id>.png    as `folder`

A picture is one record, or with `Options.people` of "instances" or
"detections" every person in it is.
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.data import source
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.people.whole_picture import WholePicture
from nppnet_tf.data.readers import folder
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source

NAME = "cihp"

_FOLDERS = {"train": "Training", "val": "Validation", "test": "Testing"}


def read(
    roots: Sequence[str | os.PathLike[str]],
    split: str | None,
    options: Options,
) -> Source:
    """Reader of `datasets.READERS`; a split is a folder or a list of ids.

    Raises:
        UserError: For the reasons that `folder.read` gives; or other than the
            published number of pictures where the options are strict.
    """
    root = source.one_root(roots, NAME)
    words = set(source.OF_FOLDERS) - {"labels"}
    source.refuse(options, NAME, *sorted(words))
    descriptor = descriptors.get(NAME)
    place, listed_split = _place(root, split)
    found = folder.read(
        [place],
        listed_split,
        dataclasses.replace(options, descriptor=descriptor),
    )
    published = descriptor.split_sizes.get(split)
    count = found.facts.get("num_pictures", len(found.samples))
    notes = source.count_notes(
        count, published, f"pictures of {split}", place, options.strict
    )
    facts = {
        **found.facts,
        "split": split,
        "published_split_size": published,
    }
    # Nobody annotated joints, and the pictures of the test set have nothing.
    of_parsing = found.annotations[keys.PARSING]
    annotations = {
        keys.PARSING: dataclasses.replace(
            of_parsing, is_promised=split != "test"
        )
    }
    return dataclasses.replace(
        found,
        descriptor=descriptor,
        notes=(*notes, *found.notes),
        facts=facts,
        annotations=annotations,
    )


def read_pictures(
    root: str | os.PathLike[str],
    split: str | None,
    descriptor: DatasetDescriptor | None = None,
) -> list[WholePicture]:
    """Lists the truth about whole pictures, for measuring; see `read`.

    Whatever the descriptor, classes are CIHP's.
    """
    del descriptor
    return folder.read_pictures(
        *_place(source.one_root((root,), NAME), split), descriptors.get(NAME)
    )


def _place(
    root: pathlib.Path, split: str | None
) -> tuple[pathlib.Path, str | None]:
    """The folder of a split, and the split where only a list tells it."""
    place = root / _FOLDERS.get(split, "")
    return (place, None) if split and place.is_dir() else (root, split)
