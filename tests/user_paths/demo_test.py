"""The whole road, every tool in a process of its own: `make demo` in small.

The interpreter is started for the demo, and for the tools that load nothing
large; the others are forked from a process that has TensorFlow loaded.
"""

import json
import pathlib
import unittest

from absl.testing import absltest

from tests import schemas
from tests import shared
from tests.user_paths import user_path

# The demo; its module of phases finds another `Popen` in `subprocess`.
_PROGRAM = """
import runpy, subprocess, types
from tests import forked_tools
from tools.command_line import phases

def start(words, **others):
    loads = words[2].partition(".")[2] in (
        "search", "derive", "train", "evaluate", "export", "predict"
    )
    return (forked_tools.popen if loads else subprocess.Popen)(words, **others)

phases.subprocess = types.SimpleNamespace(**vars(subprocess))
phases.subprocess.Popen = start
runpy.run_module("tools.demo", run_name="__main__", alter_sys=True)
"""

# Two searches and two trainings are traced.
_PATIENCE_SECONDS = 900

# Schemas of what the road does not write, tested with what does; the descriptor
# lies within others.
_ELSEWHERE = {
    *("descriptor", "frame", "frames", "people"),
    *("predictions", "quality"),
}


class RoadTest(absltest.TestCase):
    def test_every_tool_ends_well_and_the_report_shows_all(self):
        # On real pictures where they are: the harder input, some without
        # label map and some without pose.
        what, num_pictures = "real", 16
        try:
            shared.shared_path("samples/lip_mmseg")
        except unittest.SkipTest:
            what, num_pictures = "demo", 4
        folder = pathlib.Path(self.create_tempdir().full_path) / what
        arguments = (f"--what={what}", "--tiny", f"--demo_dir={folder}")

        demo = user_path.start_python(
            ["-c", _PROGRAM, *arguments], is_real=True
        )
        self.addCleanup(user_path.end, demo)
        first = user_path.finish(demo, _PATIENCE_SECONDS)
        second = user_path.run_well("demo", *arguments)

        self.assertEqual((first.exit_code, first.stderr), (0, ""))
        summary = json.loads((folder / "summary.json").read_text())
        for system in ("searched", "baseline", "unet"):
            self.assertBetween(summary[system]["miou"], 0, 1)
            self.assertContainsSubset(["pckh", "parameters"], summary[system])
        page = (folder / "report.html").read_text()
        # Of each its truth and three predictions; a heat map of each search.
        self.assertEqual(page.count("data:image/"), 5 * num_pictures + 2)
        self.assertIn("Share of skip connections", page)
        predicted = folder / "predictions" / "searched"
        stems = [path.stem for path in (folder / "pictures").iterdir()]
        self.assertCountEqual(
            [path.name for path in predicted.iterdir()],
            [
                stem + ending
                for stem in stems
                for ending in (
                    ".png",
                    ".json",
                    "_openpose.json",
                    "_overlay.png",
                )
            ],
        )
        self._require_schemas(folder)
        # Done: the second run starts no tool and prints the result.
        self.assertNotIn("$ ", second.stdout)
        self.assertIn("mIoU", second.stdout)

    def _require_schemas(self, folder: pathlib.Path) -> None:
        """Every document that the tools wrote fits its schema."""
        found = set()
        for path, document, name in schemas.documents(folder):
            self.assertEmpty(schemas.faults(document, name), path)
            found.add(name)
        self.assertSameElements(found | _ELSEWHERE, schemas.schemas())


if __name__ == "__main__":
    absltest.main()
