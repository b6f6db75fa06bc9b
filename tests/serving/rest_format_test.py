"""Tests of serving.rest_format, beside the contract."""

import json

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from nppnet_tf.serving import rest_format
from nppnet_tf.serving.failures import RequestError


def _signature(**dtypes):
    signature = meta_graph_pb2.SignatureDef()
    for name, dtype in dtypes.items():
        signature.inputs[name].dtype = dtype
    return signature


_FLOAT = _signature(x=types_pb2.DT_FLOAT)
_UINT8 = _signature(x=types_pb2.DT_UINT8)
_TEXT = _signature(x=types_pb2.DT_STRING)
_TWO = _signature(x=types_pb2.DT_FLOAT, y=types_pb2.DT_INT64)


def _read(document, signature):
    return rest_format.read_inputs(document, signature)[1]


class ReadTest(parameterized.TestCase):
    def test_several_inputs_in_rows_and_columns(self):
        rows = _read(
            {"instances": [{"x": 1, "y": 2}, {"x": 3.5, "y": 4}]}, _TWO
        )
        columns = _read({"inputs": {"x": [1, 3.5], "y": [2, 4]}}, _TWO)

        for found in (rows, columns):
            self.assertEqual(found["x"].tolist(), [1, 3.5])
            self.assertEqual(found["x"].dtype, np.float32)
            self.assertEqual(found["y"].tolist(), [2, 4])
            self.assertEqual(found["y"].dtype, np.int64)

    def test_infinities_and_no_numbers_are_numbers(self):
        document = rest_format.parse(b'{"instances": [NaN, -Infinity, 1e3]}')
        found = _read(document, _FLOAT)["x"]

        np.testing.assert_array_equal(found, [np.nan, -np.inf, 1000])

    def test_texts_and_bytes(self):
        found = _read({"instances": ["\xe4", {"b64": "AP8"}]}, _TEXT)["x"]

        self.assertEqual(found.tolist(), [b"\xc3\xa4", b"\x00\xff"])

    @parameterized.parameters(
        ([1 << 24], _FLOAT),
        ([-(1 << 24)], _FLOAT),
        ([1e39], _FLOAT),
        ([256], _UINT8),
        ([-1], _UINT8),
        ([1.5], _UINT8),
        ([True], _FLOAT),
        ([None], _FLOAT),
        ([10**400], _FLOAT),
        ([[1], [1, 2]], _FLOAT),
        ([["a"], ["a", "b"]], _TEXT),
        ([{"b64": "A"}], _TEXT),
        ([{"b64": "AA==", "more": 1}], _TEXT),
        ([["a"], "a"], _TEXT),
        ([{"x": 1}, {"x": 1, "y": 2}], _TWO),
        ([1], _TWO),
    )
    def test_values_that_do_not_fit(self, values, signature):
        with self.assertRaises(RequestError):
            _read({"instances": values}, signature)

    def test_lists_of_lists_of_lists_end(self):
        nested = "x"
        for _ in range(900):
            nested = [nested]

        for signature in (_TEXT, _FLOAT):
            with self.assertRaises(RequestError):
                _read({"inputs": nested}, signature)

    @parameterized.parameters(
        b"[" * 100_000, b'{"a":' * 100_000, b"[{}," * (2 << 20)
    )
    def test_bodies_that_would_fill_memory(self, body):
        with self.assertRaisesRegex(RequestError, "JSON Parse error"):
            rest_format.parse(body)

    @parameterized.parameters(
        (b'{"instances": [1], "instances": [1]}', "'instances'"),
        (b'{"inputs": {"x": [1], "y": [2], "x": [3]}}', "'x'"),
        (b'{"instances": [{"b64": "AA==", "b64": "AA=="}]}', "'b64'"),
    )
    def test_a_name_has_one_value(self, body, name):
        with self.assertRaisesRegex(
            RequestError, f"two values of one name: {name}$"
        ):
            rest_format.parse(body)

    def test_messages_hold_nothing_of_a_body_but_its_end(self):
        secret = b'{"instances": ["c2VjcmV0" '
        with self.assertRaises(RequestError) as refused:
            rest_format.parse(secret)

        self.assertNotIn("c2VjcmV0", refused.exception.message)
        self.assertIn("at offset", refused.exception.message)


class WriteTest(absltest.TestCase):
    def test_bytes_and_texts(self):
        outputs = {
            "a_bytes": np.array([b"\x00\xff"], object),
            "text": np.array([b"ok"], object),
        }
        rows = json.loads(rest_format.write(outputs, rest_format.ROW))
        columns = json.loads(rest_format.write(outputs, rest_format.COLUMN))

        self.assertEqual(
            rows, {"predictions": [{"a_bytes": {"b64": "AP8="}, "text": "ok"}]}
        )
        self.assertEqual(
            columns,
            {"outputs": {"a_bytes": [{"b64": "AP8="}], "text": ["ok"]}},
        )

    def test_a_single_output_has_no_name(self):
        outputs = {"y": np.array([[1, 2]])}

        self.assertEqual(
            rest_format.write(outputs, rest_format.ROW),
            b'{"predictions": [[1, 2]]}',
        )
        self.assertEqual(
            rest_format.write(outputs, rest_format.COLUMN),
            b'{"outputs": [[1, 2]]}',
        )

    def test_rows_need_outputs_of_as_many_rows(self):
        for other in (np.array([1, 2]), np.array(1)):
            outputs = {"x": np.array([1]), "y": other}
            with self.assertRaisesRegex(RequestError, "batch size"):
                rest_format.write(outputs, rest_format.ROW)


if __name__ == "__main__":
    absltest.main()
