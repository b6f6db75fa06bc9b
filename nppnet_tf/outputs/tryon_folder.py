"""The folder of VITON-HD, which code for virtual try-on reads.

    test_pairs.txt                    each person with itself, to be changed
    test/image/<name>.jpg             1024 x 768, white around the picture
    test/image-parse-v3/<name>.png    LIP's classes, with a palette
    test/image-parse-agnostic-v3.2/<name>.png   the same without what goes
    test/openpose_json/<name>_keypoints.json    BODY_25
    test/openpose_img/<name>_rendered.png
    test/agnostic-v3.2/<name>.jpg     gray where a garment may be
    test/agnostic-mask/<name>_mask.png  white there
    test/vitonhd_test_tagged.json     no tags

and `agnostic-v3.2-lower_body`, `agnostic-mask-dresses`, ... for the other
garments. Clothes, their masks and DensePose come from elsewhere. Of a picture
of several people each is cut out.
"""

import json
import pathlib
from collections.abc import Mapping

import numpy as np
from PIL import Image

from nppnet_tf.data import openpose
from nppnet_tf.data import visibility
from nppnet_tf.evaluation import prediction_files
from nppnet_tf.files import atomic
from nppnet_tf.inference.picture_answer import PersonAnswer
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import lip_folder
from nppnet_tf.outputs import openpose_picture
from nppnet_tf.outputs import single_people
from nppnet_tf.outputs import tryon_masks
from nppnet_tf.outputs.output_folder import FolderWriter
from nppnet_tf.outputs.single_people import SinglePerson
from nppnet_tf.outputs.tryon_window import Window
from nppnet_tf.outputs.writer import Names
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings

SIZE = (1024, 768)

_SPLIT = "test"
_QUALITY = 95
_GRAY = 128
_WHITE = 255


class TryonFolder(FolderWriter):
    """Everything about a person that try-on asks for, but the clothes.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        # The lists of these projects are cut at spaces.
        super().__init__(
            settings, "tryon", "__254_keypoints.json", has_words=True
        )
        self._written: list[str] = []

    def begin(self, names: Names) -> None:
        """See `writer.Writer`; UserError for other joints or classes."""
        lip_folder.require_lip(names, "tryon")
        super().begin(names)

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        for person in single_people.each(picture, answer):
            self._write_person(person.name, person)
            self._written.append(f"{person.name}.jpg")

    def finish(self) -> None:
        """See `writer.Writer`."""
        folder = self._folder
        pairs = "".join(f"{name} {name}\n" for name in self._written)
        atomic.write_text(folder / f"{_SPLIT}_pairs.txt", pairs)
        tags = folder / _SPLIT / f"vitonhd_{_SPLIT}_tagged.json"
        atomic.write_text(tags, json.dumps({}) + "\n")

    def _write_person(self, name: str, person: SinglePerson) -> None:
        window = Window(person.label_map.shape, SIZE)
        image = window.picture(person.image)
        label_map = window.label_map(person.label_map)
        pose = PersonAnswer(
            window.points(person.answer.keypoints_xy), person.answer.scores
        )
        masks = self._masks(label_map, pose)
        pictures = self._pictures(name, image, label_map, masks)
        document = prediction_files.openpose_document(
            [pose],
            self._names.descriptor,
            openpose.BODY_25,
            self._names.score_threshold,
        )
        points = np.reshape(document["people"][0]["pose_keypoints_2d"], (-1, 3))
        pictures[f"openpose_img/{name}_rendered.png"] = Image.fromarray(
            openpose_picture.draw(points, SIZE)
        )
        folder = self._folder / _SPLIT
        paths = [folder / path for path in pictures]
        paths.append(folder / f"openpose_json/{name}_keypoints.json")
        with atomic.atomic_paths(paths) as (*files, json_path):
            for file, (path, content) in zip(
                files, pictures.items(), strict=True
            ):
                with atomic.naming(folder / path, file):
                    _save(content, file, path)
            prediction_files.write_json(json_path, document)

    def _masks(
        self, label_map: np.ndarray, pose: PersonAnswer
    ) -> dict[str, np.ndarray]:
        visible = visibility.are_visible(
            pose.keypoints_xy, pose.scores, self._names.score_threshold
        )
        joints = {
            name: (float(x), float(y))
            for name, (x, y), is_visible in zip(
                self._names.descriptor.keypoints,
                pose.keypoints_xy,
                visible,
                strict=True,
            )
            if is_visible
        }
        return {
            kind: tryon_masks.agnostic_mask(label_map, joints, kind)
            for kind in tryon_masks.KINDS
        }

    def _pictures(
        self,
        name: str,
        image: np.ndarray,
        label_map: np.ndarray,
        masks: Mapping[str, np.ndarray],
    ) -> dict[str, Image.Image]:
        upper = masks[tryon_masks.UPPER_BODY]
        agnostic = np.where(upper, np.uint8(0), label_map)
        found = {
            f"image-parse-v3/{name}.png": self._parts(label_map),
            f"image-parse-agnostic-v3.2/{name}.png": self._parts(agnostic),
        }
        for kind, mask in masks.items():
            ending = "" if kind == tryon_masks.UPPER_BODY else f"-{kind}"
            gray = np.where(mask[..., np.newaxis], np.uint8(_GRAY), image)
            white = np.where(mask, np.uint8(_WHITE), np.uint8(0))
            found[f"agnostic-v3.2{ending}/{name}.jpg"] = Image.fromarray(gray)
            found[f"agnostic-mask{ending}/{name}_mask.png"] = Image.fromarray(
                white
            )
        found[f"image/{name}.jpg"] = Image.fromarray(image)
        return found

    def _parts(self, label_map: np.ndarray) -> Image.Image:
        picture = Image.fromarray(label_map)
        palette = np.asarray(self._names.descriptor.palette, np.uint8)
        picture.putpalette(palette.tobytes())
        return picture


def _save(content: Image.Image, file: pathlib.Path, path: str) -> None:
    if path.endswith(".jpg"):
        content.save(file, "JPEG", quality=_QUALITY)
    else:
        content.save(file, "PNG")
