"""Runs the whole road of NPPNet on a CPU and shows it in pictures.

    python -m tools.demo
    python -m tools.demo --what=real --demo_dir=runs/real

Draws people (or takes the real pictures beside the repository), searches in two
stages, derives the network, trains it and two networks of its cost that nobody
searched (ResNet-50 and FPN, a plain U-Net), measures all three, exports a
SavedModel, predicts with it, and writes <demo_dir>/report.html and
summary.json. Every step is a tool that you can run yourself: the demo prints
its commands. Stopped, it goes on where it was; done, it prints the result.
"""

import signal
from types import FrameType

from .command_line import app
from .command_line import paths
from .command_line.tool_flags import ToolFlags
from .roads import demo_road
from .roads import demo_settings

FLAGS = ToolFlags()

WHAT = FLAGS.define_choice(
    "what",
    "demo",
    ("demo", "real"),
    "People that the demo draws, or the real pictures of the folder "
    "../shared/samples (the variable NPPNET_SHARED names another ../shared).",
)
DEMO_DIR = FLAGS.define_output(
    "demo_dir",
    None,
    "Folder of everything that is made. Default: runs/demo or runs/real.",
    paths.require_new_folder,
)
TINY = FLAGS.define_switch(
    "tiny", False, "A demo of a minute that learns nothing, to test the tools."
)


def _run(argv: list[str]) -> None:
    del argv
    # A service that stops us sends SIGTERM: like an interrupt, it must end
    # the tool that runs and keep the time it took.
    before = signal.signal(signal.SIGTERM, _interrupt)
    is_real = WHAT.value == "real"
    road = demo_settings.REAL if is_real else demo_settings.DEMO
    if TINY.value:
        road = demo_settings.miniature(road)
    samples = demo_road.sample_folders() if is_real else ()
    name = DEMO_DIR.value or f"runs/{WHAT.value}"
    folder = paths.new_folder(name, "--demo_dir").absolute()
    try:
        demo_road.Demo(road, folder, samples).run()
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt


def main() -> None:
    """Entry of the console script."""
    app.run(_run, FLAGS)


if __name__ == "__main__":
    main()
