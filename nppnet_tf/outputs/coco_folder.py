"""A folder of COCO's annotations, which `build_records` reads as a data set.

images/<name>.jpg      the pictures, as they were
labels/<name>.png      label maps
instances/<name>.png   who is where, where several people were looked for
keypoints.json         COCO's document: boxes, joints with their names, and the
                       region of each person
parts.json             COCO's document: the region of each part
results.json           the same as COCO's results, with scores, and with the
                       names of the pictures
descriptor.json        what classes and joints are
"""

from nppnet_tf.evaluation import prediction_files
from nppnet_tf.evaluation.prediction_files import CocoPicture
from nppnet_tf.files import atomic
from nppnet_tf.inference.picture_answer import PictureAnswer
from nppnet_tf.outputs import people_map
from nppnet_tf.outputs.output_folder import FolderWriter
from nppnet_tf.outputs.writer import Picture
from nppnet_tf.outputs.writer import Settings

_RESULT = (
    "image_id",
    "category_id",
    "keypoints",
    "segmentation",
    "bbox",
    "score",
)


class CocoFolder(FolderWriter):
    """Pictures, label maps and one document for all of them.

    Args:
        settings: What writers are told.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, "coco", ".jpeg")
        self._people: list[CocoPicture] = []

    def write(self, picture: Picture, answer: PictureAnswer) -> None:
        """See `writer.Writer`."""
        folder = self._folder
        image_name = f"{picture.start}{picture.suffix}"
        label_name = f"{picture.start}.png"
        paths = [folder / "labels" / label_name, folder / "images" / image_name]
        if answer.instance_map is not None:
            paths.insert(0, folder / "instances" / label_name)
        with atomic.atomic_paths(paths) as files:
            *instances, labels, image = files
            for path in instances:
                people_map.write(path, answer.instance_map)
            prediction_files.write_label_map(
                labels, answer.label_map, self._names.descriptor
            )
            image.write_bytes(picture.data)
        regions = prediction_files.coco_regions(answer)
        self._people.append(
            CocoPicture(image_name, answer.size, answer.people, regions)
        )

    def finish(self) -> None:
        """See `writer.Writer`."""
        folder, names = self._folder, self._names
        document = prediction_files.coco_document(
            self._people, names.descriptor, names.score_threshold
        )
        names_of = {
            image["id"]: image["file_name"] for image in document["images"]
        }
        results = [
            {
                **{name: annotation[name] for name in _RESULT},
                # Ids count here; whoever has the pictures knows their names.
                "file_name": names_of[annotation["image_id"]],
            }
            for annotation in document["annotations"]
        ]
        atomic.write_text(
            folder / "descriptor.json", names.descriptor.to_json() + "\n"
        )
        parts = prediction_files.coco_parts_document(
            self._people, names.descriptor
        )
        prediction_files.write_json(folder / "results.json", results)
        prediction_files.write_json(folder / "parts.json", parts)
        prediction_files.write_json(folder / "keypoints.json", document)
