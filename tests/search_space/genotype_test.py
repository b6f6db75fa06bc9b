"""Tests of genotypes."""

import copy
import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from nppnet_tf.search_space.genotype import BranchGene
from nppnet_tf.search_space.genotype import CellGene
from nppnet_tf.search_space.genotype import Choice
from nppnet_tf.search_space.genotype import Genotype

RELEASED = published.released()


def altered(change):
    """The released genotype's JSON after a change of its data."""
    data = json.loads(RELEASED.to_json())
    change(data)
    return json.dumps(data)


def put(*path, value):
    """A change that sets one value deep inside."""

    def change(data):
        for key in path[:-1]:
            data = data[key]
        data[path[-1]] = value

    return change


class GenotypeTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("released", RELEASED),
        ("baseline", published.baseline()),
        ("first_stage", Genotype(genotypes.SEARCH)),
        (
            "second_stage",
            Genotype(
                RELEASED.encoder_decoder, genotypes.SEARCH, genotypes.SEARCH
            ),
        ),
    )
    def test_json_comes_back(self, gene):
        self.assertEqual(Genotype.from_json(gene.to_json()), gene)

    def test_file_comes_back(self):
        path = pathlib.Path(self.create_tempdir().full_path) / "g.json"

        genotypes.save(RELEASED, path)

        self.assertEqual(genotypes.load(path), RELEASED)
        self.assertEqual(list(path.parent.iterdir()), [path])

    @parameterized.named_parameters(
        (
            "primitive",
            put("fusion", "pose", 1, 0, value=["conv_9x9", 0]),
            "unknown primitive; where: my.json, fusion.pose, node 1;.*conv_9x9",
        ),
        (
            "later_node",
            put("fusion", "pose", 0, 0, value=["skip_connect", 3]),
            "predecessor out of range.*expected: 0 to 2; found: 3",
        ),
        (
            "later_level",
            put("interaction", "parsing", 2, value=[["se_connect", 3]]),
            "predecessor out of range.*interaction.parsing, node 2",
        ),
        (
            "boolean",
            put("fusion", "pose", 0, 0, value=["skip_connect", True]),
            "predecessor out of range.*found: True",
        ),
        (
            "empty_node",
            put("encoder_decoder", "pose", "normal", 2, value=[]),
            "node without a choice.*encoder_decoder.pose.normal, node 2",
        ),
        (
            "too_few_nodes",
            put("encoder_decoder", "pose", "decoding", value=[]),
            "wrong number of nodes.*expected: 4; found: 0",
        ),
        ("state", put("fusion", value="searched"), "unknown state.*'searched'"),
        (
            "omitted_encoder",
            put("encoder_decoder", value="omit"),
            "unknown state of a genotype part; where: .*encoder_decoder",
        ),
        (
            "version",
            put("version", value=2),
            "genotype of another format",
        ),
        ("missing_part", lambda data: data.pop("fusion"), "malformed genotype"),
        (
            "choice_of_three",
            put("fusion", "pose", 0, 0, value=["skip_connect", 0, 1]),
            "malformed nodes; where: .*fusion.pose",
        ),
        (
            "number_for_nodes",
            put("interaction", "pose", value=3),
            "malformed nodes; where: .*interaction.pose",
        ),
    )
    def test_invalid_genotype_is_one_line(self, change, text):
        with self.assertRaisesRegex(UserError, text) as caught:
            Genotype.from_json(altered(change), "my.json")
        self.assertNotIn("\n", str(caught.exception))
        self.assertIn("my.json", str(caught.exception))

    def test_file_of_any_name_is_told(self):
        text = altered(put("fusion", value="unknown"))

        with self.assertRaisesRegex(UserError, "where: fusion, fusion;"):
            Genotype.from_json(text, "fusion")

    @parameterized.parameters("", "[]", "{", "3", "null")
    def test_other_files_are_refused(self, text):
        path = pathlib.Path(self.create_tempdir().full_path) / "g.json"
        path.write_text(text)

        with self.assertRaisesRegex(UserError, "g.json"):
            genotypes.load(path)

    def test_missing_file_is_named(self):
        with self.assertRaisesRegex(UserError, "cannot be read.*/no/such"):
            genotypes.load("/no/such")

    def test_level_may_take_nothing(self):
        empty = genotypes.InteractionGene(((),) * 7, ((),) * 7)

        gene = Genotype(genotypes.BASELINE, empty)

        self.assertEqual(Genotype.from_json(gene.to_json()), gene)

    def test_lists_come_back(self):
        branch = RELEASED.encoder_decoder.pose

        self.assertEqual(BranchGene.of(branch.to_lists()), branch)
        self.assertEqual(CellGene.of(branch.normal.to_lists()), branch.normal)
        self.assertIsNone(CellGene.of(None))

    def test_searched_parts_are_noticed(self):
        self.assertTrue(Genotype(genotypes.SEARCH).is_searched)
        self.assertFalse(RELEASED.is_searched)

    def test_width_is_divided_by_what_is_searched(self):
        fusion = Genotype(RELEASED.encoder_decoder, fusion=genotypes.SEARCH)

        self.assertEqual(RELEASED.channel_multiple(3), 4)
        self.assertEqual(fusion.channel_multiple(2), 4)
        self.assertEqual(fusion.channel_multiple(3), 12)
        self.assertEqual(Genotype(genotypes.SEARCH).channel_multiple(2), 16)

    def test_wrong_gene_is_refused(self):
        with self.assertRaisesRegex(UserError, "expected: FusionGene"):
            Genotype(genotypes.BASELINE, fusion=(Choice("skip_connect", 0),))


class WrongNodeTest(absltest.TestCase):
    def test_no_value_of_another_kind_is_a_traceback(self):
        whole = json.loads(RELEASED.to_json())
        for place in _places(whole):
            for value in (None, True, -1, 10**9, 0.5, "x", [], [1], {"a": 1}):
                text = json.dumps(_replaced(whole, place, value))
                with self.subTest(place=place, value=str(value)):
                    try:
                        Genotype.from_json(text, "file.json")
                    except UserError as error:
                        self.assertIn("file.json", str(error))
                        self.assertLessEqual(len(str(error)), 500)
                    else:
                        # A level of the interaction may take nothing; true
                        # is 1 to JSON's reader.
                        self.assertIn(place[0], ("interaction", "version"))

    def test_files_without_end_are_refused(self):
        path = pathlib.Path(self.create_tempdir()) / "file.json"
        for text in ("[" * 100_000, '{"a":' * 100_000, "[1]" + " " * (2 << 20)):
            path.write_text(text)
            with self.assertRaisesRegex(UserError, "file.json"):
                genotypes.load(path)
        with self.assertRaisesRegex(UserError, "/dev/zero.*a device"):
            genotypes.load("/dev/zero")


def _places(value, place=()):
    """Every node of a JSON document; of lists the first two entries."""
    yield place
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _places(part, (*place, key))
    if isinstance(value, list):
        for index, part in enumerate(value[:2]):
            yield from _places(part, (*place, index))


def _replaced(document, place, value):
    if not place:
        return value
    key, *rest = place
    changed = copy.copy(document)
    changed[key] = _replaced(document[key], rest, value)
    return changed


if __name__ == "__main__":
    absltest.main()
