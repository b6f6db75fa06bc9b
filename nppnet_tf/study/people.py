"""Three sets of drawn people that share nobody."""

import os
import pathlib
from typing import NamedTuple

from nppnet_tf.data.readers import datasets
from nppnet_tf.data.records import record_writer
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.drawn_people import lip_folder
from nppnet_tf.study.settings import StudyConfig


class People(NamedTuple):
    """Records of the sets.

    Attributes:
        train: People to search and train on.
        selection: People by whom epochs and learning rates are chosen.
        test: People to measure on, when everything is chosen.
    """

    train: RecordSet
    selection: RecordSet
    test: RecordSet


def drawn(
    folder: str | os.PathLike[str], config: StudyConfig, num_workers: int = 1
) -> People:
    """Returns the sets, drawn where they are not there yet.

    Args:
        folder: Folder of all three.
        config: Numbers of people and the seed of the first set; those of the
            others follow it.
        num_workers: Processes that draw.
    """
    counts = (
        config.train_people,
        config.selection_people,
        config.test_people,
    )
    sets = []
    for number, (name, count) in enumerate(
        zip(People._fields, counts, strict=True)
    ):
        records = pathlib.Path(folder, "records", name)
        if not records.exists():
            root = pathlib.Path(folder, "people", name)
            lip_folder.write_lip(
                root,
                {"train": count},
                config.people_seed + number,
                config.picture_size,
                num_workers=num_workers,
            )
            found = datasets.read("lip", [root], "train")
            record_writer.write_records(
                found.samples, records, found.descriptor, facts=found.facts
            )
        sets.append(RecordSet.open(records))
    return People(*sets)
