"""Job files of docs/cluster start every machine with what it has to know.

What the cluster gives is made up here; shells and flags are real.
"""

import os
import pathlib
import re
import subprocess

import yaml
from absl.testing import absltest

from nppnet_tf import cluster
from tests import shared

_FOLDER = shared.REPOSITORY / "docs" / "cluster"

# Programs of a cluster. A task is that of the second machine.
_SCONTROL = """#!/bin/sh
if [ "$1" = requeue ]; then echo "requeued $2"; fi
if [ "$1" = show ]; then printf 'node1\\nnode2\\n'; fi
"""
_SRUN = """#!/bin/sh
shift
SLURM_PROCID=1 exec "$@"
"""
_SEARCH = """#!/bin/sh
printf '%s\\n' "$TF_CONFIG" "$@"
exit $STATUS
"""


class ClusterFilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.programs = pathlib.Path(self.create_tempdir().full_path)
        for name, text in (
            ("scontrol", _SCONTROL),
            ("srun", _SRUN),
            ("nppnet-search", _SEARCH),
        ):
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)

    def _run(self, *words, status=0, **variables):
        path = f"{self.programs}:{os.environ['PATH']}"
        return subprocess.run(
            words,
            env={"PATH": path, "STATUS": str(status), **variables},
            capture_output=True,
            text=True,
        )

    def _run_slurm(self, status=0):
        return self._run(
            *("bash", _FOLDER / "search.sbatch"),
            status=status,
            SLURM_JOB_ID="123456",
            SLURM_JOB_NODELIST="node[1-2]",
        )

    def _assert_starts(self, output, workers):
        text, *flags = output.splitlines()
        self.assertEqual(
            cluster.read({cluster.VARIABLE: text}), cluster.Cluster(workers, 1)
        )
        self.assertIn("--strategy=multi_worker", flags)
        checked = shared.run_tool("search", *flags, "--only_check_args")
        self.assertEqual((checked.exit_code, checked.stderr), (0, ""))

    def test_slurm_starts_every_node(self):
        ended = self._run_slurm()

        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self._assert_starts(ended.stdout, ("node1:23456", "node2:23456"))

    def test_slurm_goes_on_where_the_time_was_over(self):
        saved, failed = self._run_slurm(143), self._run_slurm(2)

        self.assertEqual((saved.returncode, failed.returncode), (143, 2))
        self.assertTrue(saved.stdout.endswith("requeued 123456\n"))
        self.assertNotIn("requeued", failed.stdout)

    def test_directives_of_slurm_are_read(self):
        text = (_FOLDER / "search.sbatch").read_text()
        head, _, rest = text.partition("set -euo pipefail")

        directives = re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", head, re.M)

        # Slurm reads them up to the first command.
        self.assertNotIn("#SBATCH", rest)
        self.assertLen(directives, head.count("#SBATCH"))
        self.assertEqual(dict(directives)["ntasks-per-node"], "1")

    def test_kubernetes_starts_every_pod(self):
        text = (_FOLDER / "search.yaml").read_text()
        service, job = yaml.safe_load_all(text)
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]

        ended = self._run(*container["command"], JOB_COMPLETION_INDEX="1")

        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        # Names are "job-index.subdomain"; the subdomain is the service's name.
        name = job["metadata"]["name"]
        self.assertEqual(pod["subdomain"], service["metadata"]["name"])
        self.assertEqual(service["spec"]["selector"], {"job-name": name})
        (port,) = container["ports"]
        workers = tuple(
            f"{name}-{index}.{pod['subdomain']}:{port['containerPort']}"
            for index in range(job["spec"]["completions"])
        )
        self._assert_starts(ended.stdout, workers)
        self.assertEqual(job["spec"]["parallelism"], len(workers))


if __name__ == "__main__":
    absltest.main()
