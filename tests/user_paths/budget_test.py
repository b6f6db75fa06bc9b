"""A search that is given a budget ends with a network that keeps to it.

A stand-in takes the supernet's place: what every choice costs is counted in
the real network, and so is what is derived.
"""

import json
import pathlib
import re

from absl.testing import absltest

from tests.user_paths import user_path

_SEARCH = (
    *user_path.TINY,
    # Of what is searched a small part is fixed, which is soon counted.
    "--stage=interaction_fusion",
    "--genotype=unet",
    "--interaction=omit",
    "--num_fusion_cells=2",
    # Cheap and dear, and heads that leave a choice its part of the cost.
    "--primitives=std_conv_3x3,skip_connect",
    "--head_channels=8",
    "--epochs=2",
    "--warmup_epochs=0",
    "--steps_per_epoch=2",
)


class BudgetTest(absltest.TestCase):
    def test_the_derived_network_costs_what_was_asked_for(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        flags = (*_SEARCH, f"--records={user_path.drawn().train}")

        refused = user_path.finish(
            user_path.start_tiny(
                "search",
                *flags,
                f"--workdir={folder / 'no'}",
                "--target_gmac=50",
            )
        )

        self.assertEqual(refused.exit_code, 2)
        found = re.search(
            r"--target_gmac; expected: ([\d.]+) to ([\d.]+) GMAC; found: 50\n",
            refused.stderr,
        )
        least, most = map(float, found.groups())
        # What every choice alike would cost lies far from both ends.
        self.assertGreater(most, 1.3 * least)

        target = least + 0.2 * (most - least)
        workdir = folder / "run"
        ended = user_path.finish(
            user_path.start_tiny(
                "search",
                *flags,
                f"--workdir={workdir}",
                f"--target_gmac={target}",
            )
        )

        self.assertEqual((ended.exit_code, ended.stderr), (0, ""))
        lines = (workdir / "metrics.jsonl").read_text().splitlines()
        cost = json.loads(lines[-1])["cost"]
        self.assertAlmostEqual(cost["derived"], target, delta=0.1 * target)
        self.assertLess(cost["derived"], 0.9 * most)


if __name__ == "__main__":
    absltest.main()
