"""What version 0.1 wrote is read as it was: runs, networks and records.

`tests/written_before` holds documents of runs with C = 16 and L = 4, made by
the tools before modules moved into rooms: both stages of a search, a training,
and two records. Of the arrays beside them only names and shapes are kept, as
digests: a variable that is renamed or reshaped orphans every checkpoint.
`search_steps` holds two checkpoints of a smaller network, two steps apart.
"""

import hashlib
import importlib
import json

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf import config
from nppnet_tf.data import descriptors
from nppnet_tf.data.records.record_set import RecordSet
from nppnet_tf.search_space import stages
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.training import checkpoints
from nppnet_tf.training import retrain
from nppnet_tf.training import search
from tests import shared
from tests.training import tiny_network
from tools.command_line import run_flags

_BEFORE = shared.REPOSITORY / "tests" / "written_before"

# What a tool adds to the settings of a configuration, or Python to a start.
_OF_THE_GENOTYPE = {
    "encoder_decoder",
    "fusion",
    "genotype",
    "interaction",
    "new_heads",
    "records",
    "stage",
}


class RunTest(parameterized.TestCase):
    @parameterized.parameters(
        ("search1", "search", config.SEARCH),
        ("search2", "search", config.SEARCH),
        ("trained", "train", config.RETRAIN),
    )
    def test_the_same_flags_are_the_same_run(self, name, tool, defaults):
        document = json.loads((_BEFORE / name / "run.json").read_text())
        flags = (_BEFORE / name / "flags.txt").read_text().splitlines()
        tool_flags = importlib.import_module(f"tools.{tool}").FLAGS

        tool_flags.read([tool, *flags])

        record = config.record_of(*run_flags.read(tool_flags, defaults).parts())
        settings = {
            name: value
            for name, value in document["settings"].items()
            if name not in _OF_THE_GENOTYPE
        }
        self.assertEqual(document["tool"], tool)
        self.assertEqual(record, settings)


class CheckpointTest(parameterized.TestCase):
    @parameterized.parameters(
        ("search1", 2773, "be1515799ed0e263"),
        ("search2", 3369, "cd40802b9fa87347"),
        ("trained", 2845, "f0e9868915fa639b"),
    )
    def test_variables_keep_their_names_and_shapes(self, name, count, digest):
        model = _model(name)

        variables = checkpoints.named_variables(model)

        self.assertLen(variables, count)
        self.assertEqual(_digest(variables), digest)


class SearchStepTest(absltest.TestCase):
    """The paper's search goes on as it did before there were strategies."""

    def test_steps_move_everything_as_they_did(self):
        folder = _BEFORE / "search_steps"
        model = tiny_network.search_model(warmup_epochs=1)
        checkpoints.restore(model, checkpoints.load(folder / "before.npz"))
        model.begin_epoch(2)

        for batch in tiny_network.search_dataset(2, epoch=2):
            model.take_step(batch)

        expected = checkpoints.load(folder / "after.npz").arrays
        found = checkpoints.arrays_of(model)
        self.assertCountEqual(found, expected)
        for name, values in expected.items():
            # To the bit where both are computed alike; other processors round
            # otherwise.
            np.testing.assert_allclose(
                found[name], values, rtol=1e-4, atol=1e-7, err_msg=name
            )


class RecordsTest(absltest.TestCase):
    def test_records_are_read(self):
        records = RecordSet.open(_BEFORE / "records")

        record = records.read(1)

        self.assertLen(records, 2)
        self.assertEqual(record.label_map.ndim, 2)
        self.assertEqual(record.keypoints_xy.shape, (16, 2))


def _model(name):
    """The model of a run, as its tool makes it."""
    network = config.NetworkConfig(channels=16, cells=4, num_fusion_cells=1)
    strategy = tf.distribute.get_strategy()
    document = json.loads((_BEFORE / "network.json").read_text())
    known = Genotype.from_json(json.dumps(document["genotype"]))
    if name == "trained":
        return retrain.make_retrain_model(
            known,
            network,
            config.LossConfig(),
            config.RetrainConfig(),
            descriptors.LIP,
            strategy,
        )
    start = {
        "search1": stages.start(stages.ENCODER_DECODER),
        "search2": stages.start(stages.INTERACTION_FUSION, known),
    }[name]
    return search.make_search_model(
        start,
        network,
        config.LossConfig(),
        config.SearchConfig(),
        strategy,
    )


def _digest(arrays):
    lines = sorted(f"{name} {list(a.shape)}" for name, a in arrays.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


if __name__ == "__main__":
    absltest.main()
