"""Flags that say how videos are predicted, and running them."""

import pathlib
from collections.abc import Mapping
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from nppnet_tf import errors
from nppnet_tf.errors import UserError
from nppnet_tf.outputs import formats

from . import console
from .progress import Progress
from .tool_flags import ToolFlags

if TYPE_CHECKING:
    from nppnet_tf.inference.people_model import PeopleModel
    from nppnet_tf.outputs.writer import Names

# On either side: each costs memory of a frame.
_MOST_VOTES = 30


class VideoFlags:
    """`--smooth` and `--vote`.

    Args:
        tool: Flags of the tool.
    """

    def __init__(self, tool: ToolFlags) -> None:
        self._tool = tool
        self._smooth = tool.define_switch(
            "smooth", True, "Of videos, smooth the joints over time."
        )
        self._vote = tool.define_count(
            "vote",
            0,
            "Of videos, how many frames on either side vote on the parts of a "
            "frame.",
            0,
            _MOST_VOTES,
        )

    def plan(
        self,
        videos: Sequence[pathlib.Path],
        output: pathlib.Path,
        layout: str,
    ) -> dict[pathlib.Path, str]:
        """Returns what the names of each video's files begin with.

        Args:
            videos: Paths of videos.
            output: Folder of the files.
            layout: Format of what is written.

        Raises:
            UserError: If PyAV is not installed, the format is one of pictures,
                something would be replaced that is no earlier output, or the
                flags are given and there is no video.
        """
        if not videos:
            self._tool.refuse_idle("a video", "smooth", "vote")
            return {}
        if layout != formats.FILES:
            raise UserError(
                "format is of pictures",
                f"--format={layout}",
                f"{formats.FILES} for videos",
                videos[0],
            )

        from nppnet_tf.video import video_file
        from nppnet_tf.video import video_run

        video_file.require_av()
        return video_run.plan(videos, output)

    def run(
        self,
        model: "PeopleModel",
        names: "Names",
        output: pathlib.Path,
        opacity: float,
        asked: Mapping[str, Any],
        starts: Mapping[pathlib.Path, str],
    ) -> None:
        """Predicts videos; those that cannot be read are named.

        Args:
            model: Answers.
            names: What the numbers of the answers mean.
            output: Folder of the files.
            opacity: Opacity of the parts over the video.
            asked: What answers depend on.
            starts: What `plan` returned.

        Raises:
            UserError: If none can be read.
        """
        from nppnet_tf.video.following import Smoothing
        from nppnet_tf.video.video_run import VideoRun
        from nppnet_tf.video.video_run import VideoSettings

        smoothing = Smoothing(self._smooth.value, self._vote.value)
        settings = VideoSettings(output, opacity, smoothing, asked)
        run = VideoRun(model, names, settings, Progress, console.say)
        failures = []
        for path, start in starts.items():
            try:
                count = run.run(path, start)
            except UserError as error:
                failures.append(error)
                if len(failures) < len(starts):
                    console.say(f"skipped: {error}")
                continue
            name = errors.printable(path.name)
            console.say(f"{output}: {count} frames of {name} predicted")
        if len(failures) == len(starts):
            raise failures[-1]
