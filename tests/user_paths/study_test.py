"""A study that is killed goes on where it was, in a fresh process."""

import json
import pathlib
import time

from absl.testing import absltest

from tests.user_paths import user_path

# One system, whose network costs seconds.
_STUDY = (
    "--strategies=,",
    "--systems=unet",
    "--seeds=1",
    "--image_size=32x32",
    "--picture_size=32x32",
    "--channels=8",
    "--batch_size=2",
    "--steps=2",
    "--evaluations=1",
    "--train_people=4",
    "--selection_people=2",
    "--test_people=2",
    "--num_workers=1",
)


class StudyTest(absltest.TestCase):
    def test_a_killed_study_goes_on_and_shows_what_is_finished(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        results = folder / "r.jsonl"
        words = (*_STUDY, f"--workdir={folder}/w", f"--results={results}")
        process = user_path.start("study", *words)
        self.addCleanup(user_path.end, process)
        _wait_for_units(results, process)
        process.kill()
        process.communicate()
        before = _whole_lines(results)

        other = user_path.run("study", *words, "--steps=3", "--most_units=0")
        again = user_path.run("study", *words, "--most_units=1")

        self.assertEqual((other.exit_code, other.stderr), (0, ""))
        self.assertIn(f"{len(before)} lines of other settings", other.stdout)
        self.assertEqual((again.exit_code, again.stderr), (0, ""))
        after = _whole_lines(results)
        self.assertEqual(after[: len(before)], before)
        units = [json.dumps(json.loads(line)["unit"]) for line in after]
        self.assertLen(set(units), len(before) + 1)
        self.assertIn("<svg", (folder / "w" / "report.html").read_text())
        summary = json.loads((folder / "r.json").read_text())
        self.assertEqual(summary["reference"], "unet")


def _whole_lines(path):
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def _wait_for_units(path, process):
    """Waits until all but the last training are finished."""
    end = time.monotonic() + user_path.PATIENCE_SECONDS
    # Circumstances, the network, and two of three rates.
    while len(_whole_lines(path)) < 4 and time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(process.communicate()[1])
        time.sleep(0.02)


if __name__ == "__main__":
    absltest.main()
