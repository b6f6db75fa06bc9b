"""Tests of nppnet_tf.files.json_documents."""

import json
import pathlib

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.files import json_documents


class ReadTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.json"

    def test_what_the_text_says_is_returned(self):
        self.path.write_bytes(b'\xef\xbb\xbf{"a": [1, null]}\r\n')

        self.assertEqual(json_documents.read(self.path), {"a": [1, None]})

    def test_deep_nesting_is_told(self):
        self.path.write_text("[" * 100_000)

        with self.assertRaisesRegex(UserError, "nested too deeply.*a.json"):
            json_documents.read(self.path)

    def test_two_values_of_one_name_are_told(self):
        self.path.write_text('{"a": {"b": 1, "c": 2, "b": 3}}')

        with self.assertRaisesRegex(
            UserError, "two values of one name.*a.json.*found: 'b'"
        ):
            json_documents.read(self.path)

    def test_one_value_said_twice_is_taken(self):
        self.path.write_text('{"a": [1], "a": [1]}')

        self.assertEqual(json_documents.read(self.path), {"a": [1]})

    def test_other_texts_are_told(self):
        for text in ("", "{", '{"a": 1', "9" * 100_000, "nonsense"):
            self.path.write_text(text)

            with self.subTest(text[:9]), self.assertRaises(UserError) as caught:
                json_documents.read(self.path)
            self.assertRegex(str(caught.exception), "not JSON.*a.json")


class RequireTest(parameterized.TestCase):
    @parameterized.parameters(
        ("an object", {}),
        ("a list", []),
        ("a text", ""),
        ("an integer", 3),
        ("a number", 3),
        ("a number", 0.5),
        ("true or false", False),
    )
    def test_the_kind_that_is_expected_is_returned(self, kind, value):
        self.assertEqual(
            json_documents.require(value, kind, "a.json", "part"), value
        )

    @parameterized.parameters(
        ("an object", [], "a list of 0 entries"),
        ("a list", {"a": 1}, "an object of 1 entries"),
        ("a text", 5, "5"),
        ("an integer", 0.5, "0.5"),
        ("an integer", True, "True"),
        ("a number", "1", "'1'"),
        ("a number", None, "null"),
        ("a number", float("nan"), "nan"),
        ("a number", -float("inf"), "-inf"),
        ("a number", 10**400, r"1000000\S*"),
        ("true or false", 1, "1"),
    )
    def test_another_kind_is_named_with_its_place(self, kind, value, found):
        with self.assertRaisesRegex(
            UserError, f"boxes is not {kind}.*a.json.*found: {found}$"
        ):
            json_documents.require(value, kind, "a.json", "boxes")


class RequireFormTest(parameterized.TestCase):
    _FORM = {
        "name": "a text",
        "rows": [{"x": "a number"}],
        "by": {"": ["a text"]},
    }
    _VALUE = {"name": "n", "rows": [{"x": 1, "y": 2}], "by": {"a": ["b"]}}

    def _require(self, value):
        return json_documents.require_form(value, self._FORM, "a.json", "it")

    def test_what_fits_is_returned_whatever_stands_beside_it(self):
        value = {**self._VALUE, "more": None}

        self.assertIs(self._require(value), value)

    @parameterized.parameters(
        ([], "it is not an object"),
        ({}, "it lacks an entry.*expected: name, rows, by; found: no name"),
        ({"name": 1}, "it.name is not a text.*found: 1"),
        ({"rows": {}}, "it.rows is not a list"),
        ({"rows": [{"x": 1}, {}]}, r"it.rows\[1\] lacks an entry.*no x"),
        ({"rows": [{"x": "1"}]}, r"it.rows\[0\].x is not a number"),
        ({"by": {"a": [1]}}, r"it.by.a\[0\] is not a text"),
    )
    def test_the_part_that_does_not_fit_is_named(self, change, pattern):
        value = {**self._VALUE, **change} if change else change

        with self.assertRaisesRegex(UserError, pattern):
            self._require(value)


class DocumentTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = pathlib.Path(self.create_tempdir().full_path) / "a.json"
        json_documents.write_document(
            self.path, "test.thing", 2, {"size": (3, 4), "name": "é"}
        )

    def _read(self):
        return json_documents.read_document(self.path, "test.thing", 2)

    def test_what_was_written_is_read(self):
        self.assertEqual(
            self._read(),
            {
                "format": "test.thing",
                "version": 2,
                "size": [3, 4],
                "name": "é",
            },
        )

    def test_every_changed_value_is_noticed(self):
        text = self.path.read_text()
        for old, new in (("3", "5"), ("é", "e"), ('"name"', '"names"')):
            self.assertIn(old, text)
            self.path.write_text(text.replace(old, new, 1))

            with (
                self.subTest(old),
                self.assertRaisesRegex(UserError, "changed or damaged.*a.json"),
            ):
                self._read()

    def test_another_layout_of_the_same_content_is_taken(self):
        document = json.loads(self.path.read_text())
        self.path.write_text(json.dumps(dict(reversed(document.items()))))

        self.assertEqual(self._read()["size"], [3, 4])

    def test_a_document_from_before_seals_is_taken(self):
        document = json.loads(self.path.read_text())
        del document[json_documents.SEAL]
        self.path.write_text(json.dumps(document))

        self.assertEqual(self._read()["name"], "é")

    def test_other_formats_versions_and_kinds_are_told(self):
        for text in (
            '{"format": "test.other", "version": 2}',
            '{"format": "test.thing", "version": 3}',
            '{"format": "test.thing"}',
            "[]",
        ):
            self.path.write_text(text)

            with (
                self.subTest(text),
                self.assertRaisesRegex(UserError, "a.json.*expected"),
            ):
                self._read()

    def test_a_document_within_another_file_is_opened_by_its_noun(self):
        document = {"format": "test.thing", "revision": 2}
        settings = {"version_name": "revision", "noun": "checkpoint"}

        found = json_documents.opened(
            document, "x", "test.thing", 2, **settings
        )

        self.assertEqual(found, document)
        with self.assertRaisesRegex(
            UserError, "checkpoint of another format.*expected: test.thing 3"
        ):
            json_documents.opened(document, "x", "test.thing", 3, **settings)

    def test_a_document_without_a_version_is_known_by_its_format(self):
        document = {"format": "test.thing"}

        found = json_documents.opened(document, "x", "test.thing", None)

        self.assertEqual(found, document)
        with self.assertRaisesRegex(UserError, "expected: test.other; found"):
            json_documents.opened(document, "x", "test.other", None)


if __name__ == "__main__":
    absltest.main()
