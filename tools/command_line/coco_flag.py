"""The flag of a file of COCO for all pictures."""

import pathlib
from collections.abc import Iterable
from collections.abc import Sequence

from nppnet_tf.errors import UserError

from . import paths
from .tool_flags import ToolFlags


class CocoFlag:
    """`--coco`.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._path = tool.define_output(
            "coco",
            None,
            "JSON file to write poses of all pictures to, as COCO's.",
            paths.new_file,
        )

    def file(
        self,
        pictures: Sequence[pathlib.Path],
        inputs: Iterable[str],
        output: pathlib.Path,
        starts: Iterable[str],
    ) -> pathlib.Path | None:
        """Returns the file, which is none of the other outputs.

        Args:
            pictures: Pictures whose people it will hold.
            inputs: Other files and folders that are read.
            output: Folder of the other outputs.
            starts: What the names of these begin with.

        Returns:
            None where nobody asks for it.

        Raises:
            UserError: If it would replace something, or there is no picture.
        """
        from nppnet_tf.evaluation import picture_outputs

        if self._path.value is None:
            return None
        where = f"--coco={self._path.value}"
        if not pictures:
            raise UserError("no pictures", where, "some", "videos alone")
        coco = paths.new_file(
            self._path.value,
            "--coco",
            (*pictures, *inputs),
            picture_outputs.is_coco,
        )
        picture_outputs.refuse_planned(coco, output, starts)
        return coco
