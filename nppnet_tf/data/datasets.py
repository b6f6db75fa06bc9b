"""Data sets that can be read, by name.

A reader is a function from folders, split and options to a `Source`; whoever
makes records or looks over a data set asks here and knows no data set by name.
"""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from nppnet_tf.data import folder
from nppnet_tf.data import lip
from nppnet_tf.data import pascal
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source
from nppnet_tf.errors import UserError

Reader = Callable[
    [Sequence[str | os.PathLike[str]], str | None, Options], Source
]

READERS: Mapping[str, Reader] = {
    "lip": lip.read,
    pascal.NAME: pascal.read,
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
            "unknown data set", "--dataset", ", ".join(NAMES), dataset
        )
    if split is not None and split not in SPLITS:
        raise UserError("unknown split", "--split", ", ".join(SPLITS), split)
    if not roots:
        raise UserError("flag is missing", "--root", "a folder", "nothing")
    source = READERS[dataset](roots, split, options)
    facts = {"dataset": dataset, "split": None, **source.facts}
    return dataclasses.replace(source, facts=facts)
