"""What tells one road of the demo from another.

Networks and epochs stand in flag files; here are the data, the words of the
report, and the time that each phase usually takes.
"""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Road:
    """What tells one road from another; networks and epochs are flag files.

    Attributes:
        flags: Folder of the flag files, below `flags`.
        title: Title of the report.
        introduction: Paragraphs at the head of the report.
        num_train: People to draw for training; 0 takes real pictures.
        num_validation: People to draw for measuring.
        picture_size: Median (height, width) of the drawn pictures.
        num_pictures: Pictures that are predicted and shown.
        rule: How the pictures were picked.
        measured_on: Which pictures the scores belong to.
        extra: More arguments of tools that train, by phase.
        seconds: Usual time of a phase on two cores, by its name.
    """

    flags: str
    title: str
    introduction: tuple[str, ...]
    num_train: int = 0
    num_validation: int = 0
    picture_size: tuple[int, int] = (192, 144)
    num_pictures: int = 16
    rule: str = ""
    measured_on: str = ""
    extra: Mapping[str, tuple[str, ...]] = dataclasses.field(
        default_factory=dict
    )
    seconds: Mapping[str, float] = dataclasses.field(default_factory=dict)


DEMO = Road(
    flags="demo",
    title="NPPNet in small: from drawn people to a SavedModel",
    introduction=(
        "NPPNet finds the parts (parsing) and the joints (pose) of a person "
        "with one network, and searches the form of that network itself. "
        "This page shows the whole road at a size that a laptop does in "
        "minutes: people were drawn, a network was searched in two stages, "
        "derived, trained, measured, exported as a SavedModel, and that "
        "SavedModel predicted the pictures below.",
        "The people are drawn by the program, so labels are exact and no "
        "data set is needed. The numbers say that every step works and "
        "learns; they are not to be compared with numbers on LIP.",
    ),
    num_train=2400,
    num_validation=64,
    num_pictures=16,
    rule="The first people of the validation split, whatever they look like; "
    "none of them was trained on.",
    measured_on="people drawn for it, by whom the one recipe of all three was "
    "chosen too; of each training the last epoch",
    seconds={
        "draw_people": 25,
        "build_records": 25,
        "search_encoder_decoder": 55,
        "search_interaction_fusion": 60,
        "derive": 15,
        "train_searched": 250,
        "train_baseline": 265,
        "train_unet": 160,
        "evaluate": 25,
        "export": 25,
        "pictures": 5,
        "predict": 30,
        "draw_genotype": 5,
        "report": 20,
    },
)

REAL = Road(
    flags="real",
    title="NPPNet on real pictures: the same road, end to end",
    introduction=(
        "The road of the demo on the real pictures of LIP that lie beside "
        "the repository: some have a label map, some a pose, one has both. "
        "What a picture lacks is left out of its losses and its scores.",
        "The network was trained on these very pictures, far too few to "
        "learn from. That its predictions fit them shows that reading, "
        "training, measuring and exporting work on real input; it says "
        "nothing about other pictures.",
    ),
    num_pictures=16,
    rule="All pictures, in the order of the records. All were trained on.",
    measured_on="the very pictures that both networks were trained on: how "
    "well they fit, not how good they are",
    seconds={
        "build_records": 10,
        "search_encoder_decoder": 90,
        "search_interaction_fusion": 90,
        "derive": 15,
        "train_searched": 300,
        "train_baseline": 150,
        "train_unet": 130,
        "evaluate": 25,
        "export": 25,
        "pictures": 5,
        "predict": 30,
        "draw_genotype": 5,
        "report": 20,
    },
)

_TINY_SIZES = (
    "--image_size=64",
    "--channels=16",
    "--cells=4",
    "--batch_size=2",
    "--epochs=1",
    "--steps_per_epoch=2",
)
# A supernet of all operations is traced for most of the minute, and what it
# finds is traced by every tool that follows.
_TINY_SEARCH = (
    *_TINY_SIZES,
    "--warmup_epochs=0",
    "--primitives=max_pool_3x3,skip_connect",
)
_TINY = {
    "derive": ("--nocost",),
    "search_encoder_decoder": _TINY_SEARCH,
    "search_interaction_fusion": (*_TINY_SEARCH, "--fusion=omit"),
    "train": _TINY_SIZES,
}


def miniature(road: Road) -> Road:
    """Returns the road with a minute's worth of data and steps."""
    return dataclasses.replace(
        road,
        num_train=8 if road.num_train else 0,
        num_validation=4 if road.num_validation else 0,
        num_pictures=4 if road.num_train else road.num_pictures,
        extra=_TINY,
        seconds={},
    )
