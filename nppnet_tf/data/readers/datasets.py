"""Data sets that can be read, by name.

A reader is a function from folders, split and options to a `Source`; whoever
makes records or looks over a data set asks here and knows no data set by name.
"""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.data.people.whole_picture import WholePicture
from nppnet_tf.data.readers import cihp
from nppnet_tf.data.readers import folder
from nppnet_tf.data.readers import lip
from nppnet_tf.data.readers import pascal
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError

Reader = Callable[
    [Sequence[str | os.PathLike[str]], str | None, Options], Source
]

READERS: Mapping[str, Reader] = {
    "lip": lip.read,
    pascal.NAME: pascal.read,
    cihp.NAME: cihp.read,
    "folder": folder.read,
}

NAMES = tuple(READERS)

_DEFAULT_OPTIONS = Options()


def read(
    dataset: str,
    roots: Sequence[str | os.PathLike[str]],
    split: str | None = None,
    options: Options = _DEFAULT_OPTIONS,
) -> Source:
    """Lists the samples of a data set; pictures are read when one is loaded.

    Args:
        dataset: One of `NAMES`.
        roots: Folders of the data set; most readers take one.
        split: "train", "val" or "test"; not used by data sets without splits.
        options: What is asked of the reader.

    Returns:
        The source; "dataset" and "split" (None without splits) are among its
        facts.

    Raises:
        UserError: No such data set or split, or whatever the reader finds.
    """
    if dataset not in READERS:
        raise UserError(
            "unknown data set", "`dataset`", ", ".join(NAMES), dataset
        )
    if split is not None and split not in SPLITS:
        raise AbsentSplitError(
            "unknown split", "`split`", ", ".join(SPLITS), split
        )
    if not roots:
        raise UserError("flag is missing", "`root`", "a folder", "nothing")
    source = READERS[dataset](roots, split, options)
    facts = {"dataset": dataset, "split": None, **source.facts}
    return dataclasses.replace(source, facts=facts)


def read_pictures(
    dataset: str,
    root: str | os.PathLike[str],
    split: str | None,
    descriptor: DatasetDescriptor,
) -> list[WholePicture]:
    """Lists the truth about whole pictures, of which records are people.

    Args:
        dataset: One of `NAMES`, as the manifest of the records states it.
        root: Folder of the data set.
        split: As the manifest states it.
        descriptor: Of the records.

    Raises:
        UserError: The data set has one person in a picture, or whatever the
            reader finds.
    """
    if dataset == pascal.NAME:
        return pascal.read_pictures(root, split)
    if dataset == cihp.NAME:
        return cihp.read_pictures(root, split)
    if dataset == "folder":
        return folder.read_pictures(root, split, descriptor)
    raise UserError(
        "data set without pictures of several people",
        root,
        f"{pascal.NAME}, {cihp.NAME} or folder",
        dataset,
    )
