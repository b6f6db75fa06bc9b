"""Tests of nppnet_tf.files.file_digests."""

import hashlib

from absl.testing import absltest

from nppnet_tf.files import file_digests


class Sha256Test(absltest.TestCase):
    def test_it_is_that_of_the_whole_content(self):
        content = bytes(range(256)) * 5000
        path = self.create_tempfile(content=content).full_path

        self.assertEqual(
            file_digests.sha256(path), hashlib.sha256(content).hexdigest()
        )


if __name__ == "__main__":
    absltest.main()
