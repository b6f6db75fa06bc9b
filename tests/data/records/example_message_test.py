"""Tests of nppnet_tf.data.records.example_message."""

import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.data.records import example_message

_NAMES = (
    "BytesList",
    "Example",
    "Feature",
    "Features",
    "FloatList",
    "Int64List",
)


class ExampleMessageTest(parameterized.TestCase):
    @parameterized.parameters(*_NAMES)
    def test_fields_are_those_of_tensorflow(self, name):
        ours, theirs = (
            getattr(place, name).DESCRIPTOR
            for place in (example_message, tf.train)
        )

        self.assertEqual(*map(_form, (ours, theirs)))

    def test_bytes_are_those_of_tensorflow(self):
        ours, theirs = (
            place.Example(
                features=place.Features(
                    feature={
                        "é": place.Feature(
                            bytes_list=place.BytesList(value=[b"", b"\xff"])
                        ),
                        "a": place.Feature(
                            int64_list=place.Int64List(value=[-1, 1 << 40])
                        ),
                        "b": place.Feature(
                            float_list=place.FloatList(value=[0.1, -2.5])
                        ),
                    }
                )
            ).SerializeToString(deterministic=True)
            for place in (example_message, tf.train)
        )

        self.assertEqual(ours, theirs)


def _form(message):
    """What says how the fields of a message become bytes."""
    return [
        (
            field.name,
            field.number,
            field.type,
            field.is_repeated,
            field.has_presence,
            field.containing_oneof and field.containing_oneof.name,
            field.message_type and field.message_type.name,
        )
        for field in message.fields
    ]


if __name__ == "__main__":
    absltest.main()
