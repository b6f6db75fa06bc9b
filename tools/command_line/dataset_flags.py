"""Flags that say which data set is read, and reading it.

Shared by the tools that look at a data set's own files.
"""

import pathlib

from absl.flags import FlagHolder

from nppnet_tf.data import absence
from nppnet_tf.data import descriptors
from nppnet_tf.data.people import cutting
from nppnet_tf.data.readers import datasets
from nppnet_tf.data.readers import folder
from nppnet_tf.data.readers import pose_documents
from nppnet_tf.data.source import SPLITS
from nppnet_tf.data.source import Options
from nppnet_tf.data.source import Source

from . import console
from . import paths
from .tool_flags import ToolFlags


class DatasetFlags:
    """The flags that name a data set, and what they name.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._tool = tool
        self._dataset = tool.define_choice(
            "dataset",
            "lip",
            datasets.NAMES,
            "Layout of the input: LIP, the extended PASCAL-Person-Part, "
            "CIHP, a folder of LabelMe's documents, or one of pictures, label "
            "maps and a file of poses, in the classes and joints of "
            "--descriptor.",
        )
        self._descriptor = tool.define_path(
            "descriptor",
            None,
            "What the labels and joints of --dataset=folder or labelme are: a "
            f"JSON file, or one of {', '.join(descriptors.names())}; lip if "
            "absent.",
            paths.require_descriptor,
        )
        self._root = tool.define_paths(
            "root",
            "Folder of the data set; several for --dataset=folder.",
            paths.require_folder,
        )
        self._split = tool.define_choice(
            "split",
            None,
            SPLITS,
            "Split of the data set. If absent, train of LIP and "
            "PASCAL-Person-Part, every picture of others.",
        )
        self._keypoints = tool.define_path(
            "keypoints",
            None,
            "File of poses of --dataset=folder: LIP's CSV, JSON of COCO, "
            "MPII or LIP, an array, or a folder of what predict or OpenPose "
            f"wrote of each picture; {', '.join(folder.POSE_FILES)} of the "
            "folder if absent.",
            paths.require_file_or_folder,
        )
        self._labels = tool.define_path(
            "labels",
            None,
            "Folder of label maps in --root of --dataset=folder, or JSON of "
            "COCO with a category for each part; "
            f"{', '.join(folder.LABELS)} or parts.json if absent.",
            self._check_labels,
        )
        self._joints = tool.define_choice(
            "joints",
            None,
            pose_documents.known_orders(),
            "Data set whose order the joints of --dataset=folder have, where "
            "a JSON of COCO's form does not name them in its categories.",
        )
        self._category = tool.define_text(
            "category",
            None,
            "Name of the category to read, where a JSON of COCO's form has "
            "several; person if absent.",
        )
        self._people = tool.define_choice(
            "people",
            None,
            (folder.WHOLE, *cutting.WAYS),
            "How single people are cut out of pictures: not at all, "
            "annotated boxes with the masks of matched detections (default "
            "of PASCAL-Person-Part), detections themselves, instances, or "
            "annotated boxes as they are.",
        )
        self._detections = tool.define_path(
            "detections",
            None,
            "Folder of a detector's boxes and masks, <picture>.npz or .npy; "
            "Mask/ of the data set if absent.",
            paths.require_folder,
        )
        self._keep_without_joints = tool.define_switch(
            "keep_without_joints",
            False,
            "Make records without a pose of pictures whose people have no "
            "joints, instead of leaving them out.",
        )
        self._tasks = tool.define_choice(
            "tasks",
            None,
            tuple(absence.TASKS),
            "Tasks of which something must be annotated; if absent, those "
            "that the layout of the data set promises.",
        )
        self._strict = tool.define_switch(
            "strict",
            False,
            "Refuse another number of samples than the published one.",
        )

    def refuse_idle(self, needed: str) -> None:
        """Raises UserError for a flag that says nothing without `needed`."""
        flags = vars(self).values()
        names = [each.name for each in flags if isinstance(each, FlagHolder)]
        self._tool.refuse_idle(needed, *names)

    def is_split_given(self) -> bool:
        """Whether the flags name one split."""
        return self._split.value is not None

    def read_source(self, split: str | None = None) -> Source:
        """Lists the samples that the flags name; says what the reader notes.

        Args:
            split: Where the flags name none.

        Returns:
            The source; its facts hold the name of the data set and the split.

        Raises:
            UserError: For the reasons that `datasets.read` gives.
        """
        source = datasets.read(
            self._dataset.value,
            self._root.value,
            self._split.value or split,
            Options(
                descriptor=self._descriptor.value
                and descriptors.resolve(self._descriptor.value),
                keypoints=self._keypoints.value,
                labels=self._labels.value,
                joints=self._joints.value,
                category=self._category.value,
                people=self._people.value,
                detections=self._detections.value,
                keep_without_joints=self._keep_without_joints.value,
                strict=self._strict.value,
            ),
        )
        for note in source.notes:
            console.say(self._tool.in_flags(f"note: {note}"))
        return source

    def required_tasks(self, source: Source) -> tuple[str, ...]:
        """Returns the tasks of which a data set must have something."""
        return absence.required(source.annotations, self._tasks.value)

    def refuse_absence(self, source: Source) -> None:
        """Raises UserError where a task that is required has nothing."""
        tasks = self.required_tasks(source)
        absence.refuse(source.annotations, tasks, ", ".join(self._root.value))

    def say_found(self, source: Source, name: str = "found") -> None:
        """Says what is annotated, and what nobody promised and is not there."""
        console.say(f"{name}: {absence.summary(source.annotations)}")
        if self._tasks.value is None:
            for line in absence.lines(source.annotations):
                console.say(self._tool.in_flags(f"note: {line}"))

    def _check_labels(self, path: str, flag: str) -> None:
        """The folder or file lies in each of --root."""
        for root in self._root.value:
            place = pathlib.Path(root, path)
            if place.suffix.lower() == ".json":
                paths.require_file(place, flag)
            else:
                paths.require_folder(place, flag)
