"""Milliseconds of operations add up to those of a network."""

import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.config import NetworkConfig
from nppnet_tf.errors import UserError
from nppnet_tf.models import latency_table
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import primitives
from nppnet_tf.search_space import published
from nppnet_tf.search_space import stages
from nppnet_tf.search_space.space import SearchSpace

START = stages.start(
    stages.INTERACTION_FUSION, published.baseline(), fusion=genotypes.OMIT
)
CONFIG = NetworkConfig(channels=8, cells=4)
SPACE = SearchSpace((primitives.SKIP_CONNECT, primitives.STD_CONV_3X3))
SIZE = (32, 64)


class LatencyTableTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path, "table.json")

    def _write(self, **changes):
        operations = latency_table.operations_of(START, CONFIG, SIZE, SPACE)
        # A skip takes nothing, anything else one millisecond.
        found = {
            each: float(each.name != "skip_connect") for each in operations
        }
        plain = latency_table.to_plain(found, 5.0, runtime="by hand")
        self.path.write_text(json.dumps({**plain, **changes}))

    def test_choices_add_up_over_their_places(self):
        self._write()

        costs = latency_table.read(self.path).costs(START, CONFIG, SIZE, SPACE)

        choices = (
            (genotypes.Choice("std_conv_3x3", 0),),
            (genotypes.Choice("skip_connect", 0),),
            *((genotypes.Choice("skip_connect", 2),),) * 5,
        )
        derived = genotypes.filled(
            START, {part: choices for part in genotypes.searched_parts(START)}
        )
        # In each branch a convolution and the projections between levels: all
        # but those of levels 0 and 2, which see their own.
        self.assertEqual(costs.of(derived), 5.0 + 2 * (1 + 5))

    def test_an_operation_that_is_missing_is_named(self):
        self._write(operations=[])

        with self.assertRaisesRegex(UserError, "no skip_connect, 8 to 8 chan"):
            latency_table.read(self.path).costs(START, CONFIG, SIZE, SPACE)

    @parameterized.parameters(
        {"format": "else"},
        {"rest_ms": None},
        {"operations": {}},
        {"operations": [3]},
        {"operations": [{"name": "skip_connect"}]},
    )
    def test_other_files_are_refused(self, **changes):
        self._write(**changes)

        with self.assertRaisesRegex(UserError, "table.json"):
            latency_table.read(self.path)

    def test_times_below_zero_are_refused(self):
        self._write()
        plain = json.loads(self.path.read_text())
        plain["operations"][1]["ms"] = -1.0
        self.path.write_text(json.dumps(plain))

        with self.assertRaisesRegex(UserError, r"operations\[1\].*-1"):
            latency_table.read(self.path)

    def test_tables_differ_by_their_digest(self):
        self._write()
        first = latency_table.read(self.path).digest
        self._write(rest_ms=6.0)

        self.assertNotEqual(latency_table.read(self.path).digest, first)


if __name__ == "__main__":
    absltest.main()
