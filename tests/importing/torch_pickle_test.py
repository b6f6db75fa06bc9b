"""Pickles are read and never run."""

import collections
import io
import os
import pickle

import numpy as np
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.files.restricted_pickle import PickleRefusedError
from nppnet_tf.importing import torch_pickle

NUMBERS = np.arange(12, dtype=np.float32)


def read_numbers(storage):
    """Stands for the file behind a pickle: twelve numbers."""
    return NUMBERS.astype(storage.kind.dtype)[: storage.count]


def load(data):
    return torch_pickle.load(
        io.BytesIO(data), lambda storage: None, read_numbers
    )


def program(*parts):
    """Puts the instructions of a pickle together."""
    return pickle.PROTO + b"\x02" + b"".join(parts) + pickle.STOP


def named(name):
    module, _, function = name.rpartition(".")
    return pickle.GLOBAL + f"{module}\n{function}\n".encode()


def pickled(value):
    """Instructions that push a plain value."""
    return pickle.dumps(value, 2)[2:-1]


def together(*parts):
    return pickle.MARK + b"".join(parts) + pickle.TUPLE


def call(name, *arguments):
    return named(name) + together(*arguments) + pickle.REDUCE


def storage(count=12, kind="FloatStorage"):
    return (
        together(
            pickled("storage"),
            named(f"torch.{kind}"),
            pickled("0"),
            pickled("cpu"),
            pickled(count),
        )
        + pickle.BINPERSID
    )


def tensor(offset, size, stride, **kwargs):
    return call(
        "torch._utils._rebuild_tensor_v2",
        storage(**kwargs),
        *map(pickled, (offset, size, stride, False)),
        call("collections.OrderedDict"),
    )


class _Reduced:
    """Pickles as a call of any function with any arguments."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


class PlainValueTest(parameterized.TestCase):
    @parameterized.product(
        value=[
            None,
            True,
            -5,
            1 << 70,
            0.25,
            "text",
            ("a", (1, 2), [3, [4]]),
            {"epoch": 3, 7: [1e-3]},
            collections.OrderedDict(a=1, b=2),
        ],
        protocol=[2, 3, 4],
    )
    def test_values_are_read_in_every_protocol(self, value, protocol):
        self.assertEqual(load(pickle.dumps(value, protocol)), value)

    def test_attributes_of_a_dict_are_dropped(self):
        value = collections.OrderedDict(a=1)
        value._metadata = {"version": 1}

        self.assertEqual(load(pickle.dumps(value, 2)), {"a": 1})

    def test_milestones_of_a_scheduler_are_read(self):
        value = {"milestones": collections.Counter({70: 1, 100: 1})}

        self.assertEqual(
            load(pickle.dumps(value, 2)), {"milestones": {70: 1, 100: 1}}
        )

    @parameterized.parameters(
        np.float64(0.5125), np.float32(0.25), np.int64(-3), np.bool_(True)
    )
    def test_numbers_of_numpy_are_read(self, value):
        for protocol in (2, 3, 4):
            found = load(pickle.dumps({"perf_iou": value}, protocol))

            self.assertEqual(found, {"perf_iou": value.item()})
            self.assertIs(type(found["perf_iou"]), type(value.item()))

    def test_names_of_an_older_numpy_are_read(self):
        data = pickle.dumps(np.float64(0.75), 2)
        older = data.replace(b"numpy._core.multi", b"numpy.core.multi")

        self.assertEqual(load(older), 0.75)

    def test_cycles_are_left_as_they_are(self):
        value = []
        value.append(value)

        found = load(pickle.dumps(value, 2))

        self.assertIs(found[0], found)


class TensorTest(parameterized.TestCase):
    def test_view_has_its_offset_and_strides(self):
        found = load(program(tensor(1, (2, 3), (1, 4))))

        expected = np.array([[1, 5, 9], [2, 6, 10]], np.float32)
        np.testing.assert_array_equal(np.asarray(found), expected)
        self.assertEqual((found.shape, found.size), ((2, 3), 6))

    def test_number_without_axes_is_read(self):
        found = load(program(tensor(3, (), ())))

        np.testing.assert_array_equal(np.asarray(found), np.float32(3))

    def test_empty_tensor_is_read(self):
        found = load(program(tensor(12, (0, 5), (5, 1))))

        self.assertEqual(np.asarray(found).shape, (0, 5))

    def test_parameter_is_its_tensor(self):
        found = load(
            program(
                call(
                    "torch._utils._rebuild_parameter",
                    tensor(0, (2,), (1,)),
                    pickled(True),
                    call("collections.OrderedDict"),
                )
            )
        )

        np.testing.assert_array_equal(np.asarray(found), [0, 1])

    def test_upper_halves_of_floats_are_read(self):
        values = np.array([1.5, -2.0, 0.15625], np.float32)
        halves = (values.view(np.uint32) >> 16).astype(np.uint16)

        found = torch_pickle.load(
            io.BytesIO(
                program(tensor(0, (3,), (1,), count=3, kind="BFloat16Storage"))
            ),
            lambda storage: None,
            lambda storage: halves,
        )

        self.assertEqual(np.asarray(found).dtype, np.float32)
        np.testing.assert_array_equal(np.asarray(found), values)

    @parameterized.named_parameters(
        ("beyond_the_end", 2, (4, 3), (3, 1), "beyond its storage"),
        ("offset", 12, (1,), (1,), "beyond its storage"),
        ("empty_offset", 13, (0,), (1,), "beyond its storage"),
        # These would cost the file nothing and the reader the memory.
        ("repeated", 0, (1 << 30,), (0,), "larger than its storage"),
        ("overlapping", 0, (6, 6), (1, 1), "larger than its storage"),
        ("negative_side", 0, (-1,), (1,), "count that is none"),
        ("negative_stride", 5, (2,), (-1,), "count that is none"),
        ("huge_side", 0, (1 << 60,), (1,), "count that is none"),
        ("fractional", 0, (1.0,), (1,), "count that is none"),
        ("truth", 0, (True,), (1,), "count that is none"),
        ("axes", 0, (2, 2), (1,), "unknown size"),
        ("many_axes", 0, (1,) * 9, (1,) * 9, "unknown size"),
        ("list", 0, [2], [1], "unknown size"),
    )
    def test_impossible_view_is_refused(self, offset, size, stride, message):
        with self.assertRaisesRegex(PickleRefusedError, message):
            load(program(tensor(offset, size, stride)))


class HostileTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("system", os.system, ("exit 1",), "system"),
        ("evaluation", eval, ("1",), "eval"),
        ("attribute", getattr, ([], "append"), "getattr"),
    )
    def test_functions_are_refused_by_name(self, function, arguments, name):
        data = pickle.dumps(_Reduced(function, *arguments), 2)

        with self.assertRaisesRegex(
            PickleRefusedError, f"the file asks for .*({name})"
        ):
            load(data)

    @parameterized.named_parameters(
        ("no_value", b"\x80\x02.", "not a whole pickle"),
        ("cut_off", pickle.dumps({"a": 1}, 2)[:-2], "not a whole pickle"),
        ("garbage", b"\xff\x00garbage", "not a whole pickle"),
        ("empty", b"", "not a whole pickle"),
        ("two_values", program(b"NN"), "not a whole pickle"),
        ("junk_of_the_memo", program(pickle.BINGET + b"\x07"), "not a whole"),
        ("mark_for_a_value", program(b"(\x85"), "not a whole pickle"),
        ("mark_in_the_memo", program(b"(q\x00"), "not a whole pickle"),
        ("no_mark", program(b"Nt"), "not a whole pickle"),
        ("announced_text", program(b"X\xff\xff\xff\x7fx"), "not a whole"),
        ("instance", program(b"(i__main__\nX\n"), "instruction INST"),
        ("extension", program(b"\x82\x01"), "instruction EXT1"),
        ("object", program(b")\x81"), "instruction NEWOBJ"),
        ("text_reference", program(b"Pabc\n"), "instruction PERSID"),
        ("call_of_a_text", program(b"U\x01x)R"), "what is no function"),
        (
            "call_with_a_list",
            program(named("collections.OrderedDict"), b"]R"),
            "what is no function",
        ),
        ("items_of_a_number", program(b"K\x01K\x02a"), "what is no list"),
        ("entries_of_a_list", program(b"]K\x02K\x03s"), "what is no dict"),
        ("list_as_key", program(b"}]K\x03s"), "no text and no number"),
        ("tuple_as_key", program(b"})K\x03s"), "no text and no number"),
        (
            "attributes_of_a_name",
            program(named("collections.OrderedDict"), b"}b"),
            "attributes of what has none",
        ),
        (
            "attributes_of_a_storage_type",
            program(named("torch.FloatStorage"), b"}b"),
            "attributes of what has none",
        ),
        (
            "objects_of_numpy",
            program(
                call(
                    "numpy.core.multiarray.scalar",
                    call("numpy.dtype", pickled("O8")),
                    pickled(b"12345678"),
                )
            ),
            "not plain",
        ),
        (
            "long_number",
            program(
                call(
                    "numpy.core.multiarray.scalar",
                    call("numpy.dtype", pickled("f8")),
                    b"C\x01x",
                )
            ),
            "wrong length",
        ),
        (
            "wrong_arguments",
            program(call("torch._utils._rebuild_tensor_v2", pickled(1))),
            "wrong arguments of torch._utils._rebuild_tensor_v2",
        ),
        (
            "module_reference",
            program(together(*map(pickled, ["module", 1, 2, 3, 4])), b"Q"),
            "a reference to module",
        ),
        ("short_reference", program(b")Q"), "unknown kind of reference"),
        (
            "two_sizes_of_one_storage",
            program(together(storage(12), storage(11))),
            "two storages named 0",
        ),
        (
            "untyped_storage",
            program(named("torch.storage.UntypedStorage")),
            "asks for torch.storage.UntypedStorage",
        ),
    )
    def test_refusal_says_what(self, data, message):
        with self.assertRaisesRegex(PickleRefusedError, message):
            load(data)

    def test_repeated_nesting_costs_nothing(self):
        # Walked, it would be 2^100 values.
        level = b"q\x00h\x00\x86"
        data = program(pickled("x"), level * 100)

        found = load(data)

        self.assertLen(found, 2)

    def test_nested_call_is_not_hashed(self):
        level = b"q\x00h\x00\x86"

        with self.assertRaisesRegex(PickleRefusedError, "no function"):
            load(program(b")", level * 100, b")R"))


if __name__ == "__main__":
    absltest.main()
