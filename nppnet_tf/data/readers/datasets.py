"""Data sets that can be read, by name.

Whoever makes records, looks over a data set or measures whole pictures asks
here and knows no data set by name. A new one is a module with its functions, a
row of `READERS`, and a descriptor (`data/known/<name>.json`).
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
from nppnet_tf.data.readers import labelme
from nppnet_tf.data.readers import lip
from nppnet_tf.data.readers import pascal
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import AbsentSplitError
from nppnet_tf.errors import UserError

Roots = Sequence[str | os.PathLike[str]]
Root = str | os.PathLike[str]


@dataclasses.dataclass(frozen=True)
class Reader:
    """How one data set is read.

    Attributes:
        read: A function from folders, split and options to the samples.
        read_pictures: A function from folder, split and the descriptor of the
            records to the truth about whole pictures, of which samples are
            people; None where every picture shows one person.
    """

    read: Callable[[Roots, str | None, Options], Source]
    read_pictures: (
        Callable[[Root, str | None, DatasetDescriptor], Sequence[WholePicture]]
        | None
    ) = None


READERS: Mapping[str, Reader] = {
    "lip": Reader(lip.read),
    pascal.NAME: Reader(pascal.read, pascal.read_pictures),
    cihp.NAME: Reader(cihp.read, cihp.read_pictures),
    "folder": Reader(folder.read, folder.read_pictures),
    labelme.NAME: Reader(labelme.read),
}

NAMES = tuple(READERS)

_DEFAULT_OPTIONS = Options()


def read(
    dataset: str,
    roots: Roots,
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
    source = READERS[dataset].read(roots, split, options)
    facts = {"dataset": dataset, "split": None, **source.facts}
    return dataclasses.replace(source, facts=facts)


def read_pictures(
    dataset: str,
    root: Root,
    split: str | None,
    descriptor: DatasetDescriptor,
) -> Sequence[WholePicture]:
    """Lists the truth about whole pictures, of which records are people.

    Args:
        dataset: One of `NAMES`, as the manifest of the records states it.
        root: Folder of the data set.
        split: Name of the split as the manifest states it.
        descriptor: Descriptor of the records.

    Raises:
        UserError: The data set has one person in a picture, or whatever the
            reader finds.
    """
    reader = READERS.get(dataset)
    if reader is None or reader.read_pictures is None:
        *others, last = (
            name for name, each in READERS.items() if each.read_pictures
        )
        raise UserError(
            "data set without pictures of several people",
            root,
            f"{', '.join(others)} or {last}",
            dataset,
        )
    return reader.read_pictures(root, split, descriptor)
