"""People as pictures of their own, for formats that know one in a picture."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs.writer import Picture


@dataclasses.dataclass(frozen=True)
class SinglePerson:
    """One person of h x w pixels.

    Attributes:
        name: Unique among the people of all pictures.
        image: Uint8 [h, w, 3].
        label_map: Uint8 [h, w], background where others are.
        answer: Pose in pixels of the image.
        is_whole: Whether the image is the whole picture.
    """

    name: str
    image: np.ndarray
    label_map: np.ndarray
    answer: PersonAnswer
    is_whole: bool


def each(picture: Picture, answer: PictureAnswer) -> Iterator[SinglePerson]:
    """Yields the people of a picture, cut out where a detector saw them.

    Args:
        picture: The picture.
        answer: What a model says of it.
    """
    # TensorFlow, which the flags of a tool do without.
    from nppnet_tf.inference import several_people

    if answer.instance_map is None:
        (person,) = answer.people
        yield SinglePerson(
            picture.start, picture.image, answer.label_map, person, True
        )
        return
    for number, person in enumerate(answer.people):
        left, top, right, bottom = several_people.padded(
            np.array(person.box), answer.size, several_people.PADDING
        )
        place = np.s_[top:bottom, left:right]
        moved = dataclasses.replace(
            person, keypoints_xy=person.keypoints_xy - np.array([left, top])
        )
        yield SinglePerson(
            # Two signs: a picture may well be called a_1.
            f"{picture.start}__{number + 1}",
            picture.image[place],
            answer.parts_of(number)[place],
            moved,
            False,
        )
