"""Tests of what workers share; tests/user_paths/hosts_test.py runs two."""

import types

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.training import team
from nppnet_tf.training.workdir import Workdir


class _Meeting:
    """Gives the second worker what the chief has given."""

    def __init__(self):
        self._given = []

    def of_chief(self, content):
        self._given.append(content)
        return content

    def of_second(self, content):
        del content
        return self._given.pop(0)


class ShareProgressTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.workdirs = [
            Workdir(self.create_tempdir(name).full_path)
            for name in ("chief", "second")
        ]

    def _share(self, goes_back):
        meeting = _Meeting()
        for index, (workdir, share) in enumerate(
            zip(
                self.workdirs,
                (meeting.of_chief, meeting.of_second),
                strict=True,
            )
        ):
            cluster = types.SimpleNamespace(is_chief=index == 0, index=index)
            others = types.SimpleNamespace(share=share)
            team.Team(cluster, others).share_progress(workdir, goes_back)

    def _files(self, workdir):
        return {
            str(path.relative_to(workdir.path)): path.read_text()
            for path in workdir.path.rglob("*")
            if path.is_file()
        }

    @parameterized.parameters((True,), (False,))
    def test_workers_go_on_from_the_same_and_go_back_to_the_same(self, back):
        """A worker without the start would go back to another checkpoint."""
        chief, second = self.workdirs
        chief.checkpoints.mkdir()
        for name in ("last", "best", "start"):
            (chief.checkpoints / f"{name}.npz").write_text(name)
        chief.metrics_file.write_text("{}")

        self._share(goes_back=back)

        expected = self._files(chief)
        if not back:
            del expected["checkpoints/best.npz"]
            del expected["checkpoints/start.npz"]
        self.assertEqual(self._files(second), expected)

    def test_a_run_that_begins_has_nothing_to_share(self):
        self._share(goes_back=True)

        self.assertEqual(self._files(self.workdirs[1]), {})


if __name__ == "__main__":
    absltest.main()
