"""Tests of tools.roads.demo_road."""

import contextlib
import io
import pathlib
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from tests import shared
from tools.command_line import phases
from tools.roads import demo_road
from tools.roads.demo_settings import DEMO
from tools.roads.demo_settings import REAL
from tools.roads.demo_settings import miniature


def _run_in_this_process(
    runner: phases.PhaseRunner,
    command: phases.Command,
    log: io.TextIOBase,
    beat,
) -> tuple[int, str]:
    """Stands in for a process of its own: TensorFlow is imported once."""
    del runner
    result = shared.run_tool(command.tool, *command.arguments)
    beat()
    log.write(result.stdout + result.stderr)
    lines = (result.stdout + result.stderr).splitlines()
    return result.exit_code, lines[-1] if lines else ""


class RoadTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    @parameterized.named_parameters(
        ("demo", DEMO, ()),
        ("real", REAL, ("a", "b")),
    )
    def test_every_command_is_understood_by_its_tool(self, road, samples):
        road_phases = demo_road.Demo(road, self.folder, samples).phases()

        for phase in road_phases:
            for command in phase.commands:
                with self.subTest(f"{phase.name} {command.tool}"):
                    result = shared.run_tool(
                        command.tool, *command.arguments, "--only_check_args"
                    )
                    self.assertEqual((result.exit_code, result.stderr), (0, ""))

    def test_all_networks_are_trained_by_the_same_flags(self):
        road = demo_road.Demo(DEMO, self.folder).phases()

        arguments = [
            [a for a in phase.commands[0].arguments if "flagfile" in a]
            for phase in road
            if phase.name.startswith("train_")
        ]
        self.assertLen(arguments, 3)
        self.assertEqual(arguments, arguments[:1] * 3)

    def test_every_phase_has_a_usual_time(self):
        for road, samples in (
            (DEMO, ()),
            (REAL, ("a",)),
        ):
            names = [
                phase.name
                for phase in demo_road.Demo(road, self.folder, samples).phases()
            ]
            self.assertCountEqual(names, road.seconds)

    def test_sizes_are_given_where_a_cost_is_told(self):
        for road, is_told in ((DEMO, True), (miniature(DEMO), False)):
            (derive,) = (
                command
                for phase in demo_road.Demo(road, self.folder).phases()
                for command in phase.commands
                if command.tool == "derive"
            )

            self.assertEqual("--nocost" not in derive.arguments, is_told)
            self.assertEqual("--channels=16" in derive.arguments, is_told)

    def test_drawn_people_become_records_and_pictures(self):
        road = demo_road.Demo(miniature(DEMO), self.folder)

        with (
            mock.patch.object(
                phases.PhaseRunner, "_stream", _run_in_this_process
            ),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            road.runner.run(
                [
                    phase
                    for phase in road.phases()
                    if phase.name
                    in ("draw_people", "build_records", "pictures")
                ]
            )

        for name in ("pictures", "truth"):
            self.assertLen(list((self.folder / name).iterdir()), 4)

    def test_another_road_in_the_same_folder_is_refused(self):
        first = demo_road.Demo(DEMO, self.folder)
        done = phases.Phase("pictures", "t", function=lambda: None)
        with contextlib.redirect_stdout(io.StringIO()):
            first.runner.run([done])

        with self.assertRaisesRegex(UserError, "phase pictures have changed"):
            first.run()


if __name__ == "__main__":
    absltest.main()
