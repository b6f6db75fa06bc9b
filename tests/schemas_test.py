"""docs/schemas: what the tools write fits, what readers refuse does not.

Documents of whole runs are held against them in tests/user_paths/demo_test.py.
"""

import copy
import json

import jsonschema
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data import descriptors
from nppnet_tf.data.descriptors import DatasetDescriptor
from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import published
from tests import schemas
from tests import shared


class SchemaTest(absltest.TestCase):
    def test_they_are_schemas_named_after_their_files(self):
        for name, schema in schemas.schemas().items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)
                self.assertEqual(schema["$id"], f"{name}.json")
                self.assertNotEmpty(schema["description"])

    def test_the_page_lists_each(self):
        page = (shared.REPOSITORY / "docs/schemas/README.md").read_text()

        for name in schemas.schemas():
            self.assertIn(f"| `{name}.json` |", page)

    def test_nothing_fits_by_being_empty(self):
        for name in schemas.schemas():
            self.assertNotEmpty(schemas.faults({}, name), name)


class DescriptorTest(parameterized.TestCase):
    def test_known_descriptors_fit(self):
        for name in descriptors.names():
            document = json.loads(descriptors.get(name).to_json())
            self.assertEmpty(schemas.faults(document, "descriptor"), name)

    def test_entries_are_those_of_the_class(self):
        properties = schemas.schemas()["descriptor"]["properties"]

        self.assertCountEqual(properties, DatasetDescriptor.__annotations__)

    @parameterized.parameters(
        ("name", 3),
        ("classes", []),
        ("classes", "Hat"),
        ("classes", ["a", "a"]),
        ("palette", [[0, 0]]),
        ("palette", [[0, 0, 256]]),
        ("keypoints", None),
        ("keypoints", []),
        ("class_mirrors", ["a"]),
        ("skeleton", [["head_top"]]),
        ("head_segment", ["head_top"]),
        ("class_weights", ["1"]),
        ("split_sizes", {"train": 1.5}),
        ("ignore_label", 256),
        ("unknown", 1),
    )
    def test_schema_and_reader_refuse_the_same(self, entry, value):
        document = json.loads(descriptors.LIP.to_json())
        document[entry] = value

        self.assertNotEmpty(schemas.faults(document, "descriptor"))
        with self.assertRaises(UserError):
            DatasetDescriptor.from_values(document)


class GenotypeTest(parameterized.TestCase):
    def test_genotypes_of_every_state_fit(self):
        for genotype in (
            published.released(),
            published.baseline(),
            published.unet(),
            genotypes.Genotype("search", "omit", "omit"),
            genotypes.Genotype("search", "search", "search"),
        ):
            document = json.loads(genotype.to_json())
            self.assertEmpty(schemas.faults(document, "genotype"))

    @parameterized.named_parameters(
        ("version", lambda d: d.update(version=2)),
        ("other_format", lambda d: d.update(format="nppnet_tf.run")),
        ("state", lambda d: d.update(fusion="baseline")),
        ("absent_part", lambda d: d.pop("fusion")),
        ("unknown_part", lambda d: d.update(more={})),
        ("absent_branch", lambda d: d["fusion"].pop("pose")),
        ("nodes", lambda d: d["fusion"]["pose"].pop()),
        ("levels", lambda d: d["interaction"]["pose"].pop()),
        ("empty_node", lambda d: d["fusion"]["pose"][0].clear()),
        ("short_choice", lambda d: d["fusion"]["pose"][0][0].pop()),
        ("long_choice", lambda d: d["fusion"]["pose"][0][0].append(0)),
        ("negative", lambda d: d["fusion"]["pose"][0][0].__setitem__(1, -1)),
        ("number", lambda d: d["fusion"]["pose"][0][0].__setitem__(0, 1)),
    )
    def test_schema_and_reader_refuse_the_same(self, change):
        document = json.loads(published.released().to_json())
        changed = copy.deepcopy(document)

        change(changed)

        self.assertNotEmpty(schemas.faults(changed, "genotype"))
        with self.assertRaises(UserError):
            genotypes.Genotype.from_json(json.dumps(changed))


class SealTest(absltest.TestCase):
    def test_a_seal_fits(self):
        document = json_documents.sealed(
            {
                "format": "nppnet_tf.network",
                "version": 1,
                "config": {
                    "channels": 16,
                    "cells": 4,
                    "num_classes": 20,
                    "num_keypoints": 16,
                    "num_fusion_cells": 1,
                    "high_level_inputs": [6, 5, 4],
                },
                "genotype": json.loads(published.baseline().to_json()),
            }
        )

        self.assertEmpty(schemas.faults(document, "network"))
        self.assertNotEmpty(
            schemas.faults(document | {"sha256": "0"}, "network")
        )


if __name__ == "__main__":
    absltest.main()
