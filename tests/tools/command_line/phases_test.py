"""Tests of tools.command_line.phases."""

import contextlib
import dataclasses
import fcntl
import io
import json
import pathlib
import textwrap

from absl.testing import absltest

from nppnet_tf.errors import UserError
from tools.command_line import phases

# Writes its arguments into a file, so that a test sees what ran; fails or
# leaves out its output where asked to.
_FAKE_TOOL = """
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
with open(folder / "calls", "a") as calls:
    calls.write(" ".join(sys.argv[2:]) + "\\n")
print("step 1 of 1")
if "fail" in sys.argv:
    print("nppnet-fake: no such thing", file=sys.stderr)
    sys.exit(2)
if "idle" not in sys.argv:
    (folder / sys.argv[2]).write_text("made")
"""


class PhaseRunnerTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        root = pathlib.Path(self.create_tempdir().full_path)
        package = root / "fake_tools"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "fake.py").write_text(textwrap.dedent(_FAKE_TOOL))
        self.folder = root / "road"
        self.folder.mkdir()
        self.runner = phases.PhaseRunner(self.folder, "fake_tools", root)

    def _phase(self, name: str, *words: str) -> phases.Phase:
        arguments = (str(self.folder), name, *words)
        return phases.Phase(
            name,
            f"Phase {name}",
            (phases.Command("fake", arguments),),
            outputs=(self.folder / name,),
        )

    def _run(self, *road: phases.Phase) -> str:
        stdout = io.StringIO()
        with contextlib.redirect_stdout(stdout):
            self.runner.run(road)
        return stdout.getvalue()

    def _calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def test_phases_run_in_order_and_show_their_commands_and_lines(self):
        screen = self._run(self._phase("draw"), self._phase("search"))

        self.assertEqual(self._calls(), ["draw", "search"])
        self.assertRegex(screen, r"\[1/2\] Phase draw")
        self.assertRegex(screen, r"\$ .*-m fake_tools.fake .* search")
        self.assertIn("  step 1 of 1", screen)

    def test_tools_of_this_package_are_found(self):
        runner = phases.runner_of_tools(self.folder)

        self.assertEqual(runner.package, "tools")
        self.assertTrue((runner.root / "tools" / "search.py").is_file())

    def test_shown_commands_can_be_copied(self):
        command = phases.Command("fake", ("--title=two words", "a;b"))

        text = self.runner.shown(command)

        self.assertTrue(text.endswith("'--title=two words' 'a;b'"), text)

    def test_logs_hold_what_commands_wrote(self):
        phase = self._phase("draw")

        self._run(phase)

        log = self.runner.log_path(phase).read_text().splitlines()
        self.assertStartsWith(log[0], "$ ")
        self.assertEqual(log[1:], ["step 1 of 1"])

    def test_what_is_done_is_not_run_again(self):
        road = (self._phase("draw"), self._phase("search"))
        self._run(*road)

        screen = self._run(*road)

        self.assertEqual(self._calls(), ["draw", "search"])
        self.assertIn("[1/2] Phase draw: done before", screen)
        self.assertNotIn("$", screen)

    def test_a_phase_whose_output_is_gone_runs_again(self):
        road = (self._phase("draw"), self._phase("search"))
        self._run(*road)
        (self.folder / "search").unlink()

        self._run(*road)

        self.assertEqual(self._calls(), ["draw", "search", "search"])

    def test_failure_names_phase_command_and_log_in_one_line(self):
        phase = self._phase("search", "fail")

        with self.assertRaises(UserError) as caught:
            self._run(self._phase("draw"), phase)

        line = str(caught.exception)
        self.assertNotIn("\n", line)
        self.assertIn("phase search failed", line)
        self.assertIn("-m fake_tools.fake", line)
        self.assertIn("2 (nppnet-fake: no such thing)", line)
        self.assertIn("logs/search.log", line)
        self.assertTrue(self.runner.log_path(phase).exists())

    def test_the_next_run_goes_on_behind_what_was_done(self):
        with contextlib.suppress(UserError):
            self._run(self._phase("draw"), self._phase("search", "fail"))
        # The reason is removed without a change of the phase's settings.
        fake = self.folder.parent / "fake_tools" / "fake.py"
        fake.write_text(fake.read_text().replace('"fail" in', '"never" in'))

        self._run(self._phase("draw"), self._phase("search", "fail"))

        self.assertEqual(self._calls(), ["draw", "search fail", "search fail"])

    def test_a_missing_output_is_an_error(self):
        with self.assertRaisesRegex(UserError, "did not make its output"):
            self._run(self._phase("draw", "idle"))

        self.assertFalse(self.runner.is_done(self._phase("draw", "idle")))

    def test_changed_settings_are_named_before_anything_runs(self):
        self._run(self._phase("search", "--epochs=3"))

        with self.assertRaisesRegex(
            UserError,
            "phase search have changed.*expected: --epochs=3; "
            "found: --epochs=4",
        ):
            self._run(self._phase("draw"), self._phase("search", "--epochs=4"))

        self.assertEqual(self._calls(), ["search --epochs=3"])

    def test_a_changed_flag_file_is_a_changed_setting(self):
        flag_file = self.folder / "a.flags"
        flag_file.write_text("# comment\n--epochs=3\n")
        phase = self._phase("search", f"--flagfile={flag_file}")
        self._run(phase)
        flag_file.write_text("# another comment\n\n--epochs=3\n")
        self._run(phase)
        flag_file.write_text("--epochs=5\n")

        with self.assertRaisesRegex(UserError, "found: --epochs=5"):
            self._run(phase)

    def test_a_moved_folder_is_no_changed_setting(self):
        self._run(self._phase("draw"))
        self.folder = self.folder.rename(self.folder.parent / "moved")
        runner = phases.PhaseRunner(
            self.folder, "fake_tools", self.folder.parent
        )

        self.assertTrue(runner.is_done(self._phase("draw")))
        runner._check_settings(self._phase("draw"))

    def test_functions_are_phases_too(self):
        made = []
        phase = phases.Phase(
            "report",
            "Report",
            function=lambda: made.append(1),
            settings={"pictures": 12},
        )

        self._run(phase)
        self._run(phase)

        self.assertEqual(made, [1])
        with self.assertRaisesRegex(UserError, "expected: pictures=12"):
            self._run(dataclasses.replace(phase, settings={"pictures": 16}))

    def test_seconds_add_up_over_attempts(self):
        phase = self._phase("search", "fail")
        path = self.folder / "phases" / "search.json"
        for _ in range(2):
            with contextlib.suppress(UserError):
                self._run(phase)
        first = json.loads(path.read_text())
        path.write_text(json.dumps({**first, "seconds": 100.0}))

        with contextlib.suppress(UserError):
            self._run(phase)

        self.assertGreater(self.runner.seconds(phase), 100.0)
        self.assertFalse(self.runner.is_done(phase))

    def test_an_interrupt_keeps_the_time_and_ends_the_phase_undone(self):
        def interrupt() -> None:
            raise KeyboardInterrupt

        phase = phases.Phase("report", "Report", function=interrupt)

        with self.assertRaises(KeyboardInterrupt):
            self._run(phase)

        self.assertGreater(self.runner.seconds(phase), 0.0)
        self.assertFalse(self.runner.is_done(phase))

    def test_two_processes_do_not_share_a_folder(self):
        with open(self.folder / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

            with self.assertRaisesRegex(UserError, "another process works"):
                self._run(self._phase("draw"))

    def test_a_damaged_record_is_named(self):
        self._run(self._phase("draw"))
        path = self.folder / "phases" / "draw.json"
        for text in ("{", "[]", "[" * 100_000, '{"settings": {}}'):
            path.write_text(text)
            with (
                self.subTest(text[:20]),
                self.assertRaisesRegex(UserError, "draw.json"),
            ):
                self._run(self._phase("draw"))


if __name__ == "__main__":
    absltest.main()
