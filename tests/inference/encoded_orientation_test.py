"""Tests of inference.picture_orientation."""

import random

import tensorflow as tf
from absl.testing import absltest

from nppnet_tf.inference import encoded_orientation
from nppnet_tf.pictures import picture_orientation as rule
from tests.pictures import picture_corpus

_TEXT = [tf.TensorSpec([], tf.string)]

_of_exif = tf.function(encoded_orientation.of_exif, input_signature=_TEXT)
_of_xmp = tf.function(encoded_orientation.of_xmp, input_signature=_TEXT)


class TwinTest(absltest.TestCase):
    """Notes are read as the rule in Python reads them."""

    def test_exif(self):
        rng = random.Random(0)
        blocks = [b"", b"II*\0", b"MM\0*\0\0\0\x08\xff\xff"]
        for value in range(10):
            for order in "<>":
                for kind in (1, 3, 4):
                    block = picture_corpus.tiff(value, order, kind)
                    blocks += [block, b"Exif\0\0" + block, block[:-9]]
                    blocks.append(picture_corpus.mutated(block, rng))

        found = [int(_of_exif(tf.constant(block))) for block in blocks]

        self.assertEqual(found, [rule.of_exif(block) for block in blocks])
        self.assertContainsSubset(range(9), found)

    def test_xmp(self):
        rng = random.Random(0)
        packets = [b"", b"tiff:Orientation", b"tiff:Orientation>"]
        for value in range(10):
            for as_element in (False, True):
                packet = picture_corpus.xmp(value, as_element)
                packets += [packet, packet + packet, packet[:60]]
                packets += [packet.replace(b'"', b"'"), packet * 3]
                packets.append(picture_corpus.mutated(packet, rng))

        found = [int(_of_xmp(tf.constant(packet))) for packet in packets]

        self.assertEqual(found, [rule.of_xmp(packet) for packet in packets])
        self.assertContainsSubset(range(9), found)


if __name__ == "__main__":
    absltest.main()
