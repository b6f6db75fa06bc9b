"""Tests of serving.text_protos."""

import pathlib
import tempfile

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.errors import UserError
from nppnet_tf.serving import text_protos
from nppnet_tf.serving.batching import BatchSettings


class BatchingTest(parameterized.TestCase):
    def _read(self, text):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = pathlib.Path(folder, "batching.config")
        path.write_text(text)
        return text_protos.read_batching(path)

    def test_what_is_absent_is_as_by_default(self):
        self.assertEqual(self._read("# nothing"), BatchSettings())
        self.assertEqual(
            self._read("batch_timeout_micros { value: 0 }"),
            BatchSettings(batch_timeout_micros=0),
        )

    def test_everything_that_can_be_said(self):
        found = self._read(
            """
            max_batch_size { value: 16 }
            batch_timeout_micros { value: 500 }
            max_enqueued_batches { value: 3 }
            num_batch_threads { value: 2 }
            thread_pool_name { value: "pool" }
            allowed_batch_sizes: [4, 16]
            pad_variable_length_inputs: false
            enable_large_batch_splitting { value: true }
            """
        )

        self.assertEqual(found, BatchSettings(16, 500, 3, 2, (4, 16)))

    @parameterized.parameters(
        "max_batch_size: 8",
        "no_such_field { value: 1 }",
        "max_batch_size { value: 0 }",
        "max_batch_size { value: 65 }",
        "num_batch_threads { value: -1 }",
        "allowed_batch_sizes: [4, 2, 8]",
        "allowed_batch_sizes: [0, 8]",
        "allowed_batch_sizes: [2, 4]",
        "{" * 10_000,
    )
    def test_what_cannot_be_used(self, text):
        with self.assertRaises(UserError):
            self._read(text)


if __name__ == "__main__":
    absltest.main()
