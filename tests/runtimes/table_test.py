"""Every runtime writes what it loads, and answers as TensorFlow does."""

import itertools
import pathlib
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.files import json_documents
from nppnet_tf.form import execution
from nppnet_tf.runtimes import packages
from nppnet_tf.runtimes import runtime
from nppnet_tf.runtimes import table
from tests import schemas
from tests.runtimes import toy_form

# In shares of the largest value that an output has.
_TOLERANCES = {runtime.FLOAT32: 2e-6, runtime.FLOAT16: 2e-3, runtime.INT8: 0.05}


class TableTest(parameterized.TestCase):
    @parameterized.parameters(
        *itertools.product(table.RUNTIMES, runtime.PRECISIONS)
    )
    def test_answers_are_those_of_the_form(self, name, precision):
        folder = pathlib.Path(self.create_tempdir().full_path)
        file = toy_form.write(folder, name, precision)
        package = packages.find(folder)
        document = json_documents.read(package.description_file)

        network = packages.load(package, document["runtime"])

        self.assertEqual(package, packages.find(file))
        self.assertEqual(document["runtime"]["precision"], precision)
        self.assertEmpty(schemas.faults(document, "model"))
        # All first: an answer must outlive the next.
        answers = [network(image) for image in toy_form.inputs()]
        for image, found in zip(toy_form.inputs(), answers, strict=True):
            expected = toy_form.form()(tf.constant(image))
            self.assertCountEqual(found, expected)
            for key, value in expected.items():
                np.testing.assert_allclose(
                    found[key],
                    value,
                    rtol=0,
                    atol=_TOLERANCES[precision] * np.abs(value).max(),
                )

    @parameterized.parameters(*table.RUNTIMES)
    def test_kernels_of_a_large_network_are_written_as_well(self, name):
        folder = pathlib.Path(self.create_tempdir().full_path)
        # As where they are variables of TensorFlow's graph.
        with mock.patch.object(execution, "_MOST_CONSTANTS", 0):
            toy_form.write(folder, name)
        package = packages.find(folder)
        document = json_documents.read(package.description_file)

        network = packages.load(package, document["runtime"])

        self.assertLen(network(toy_form.inputs()[0]), 2)

    def test_low_precision_is_smaller(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        sizes = {
            precision: toy_form.write(folder / precision, "onnx", precision)
            .stat()
            .st_size
            for precision in (runtime.FLOAT32, runtime.FLOAT16)
        }

        self.assertLess(sizes[runtime.FLOAT16], sizes[runtime.FLOAT32])


if __name__ == "__main__":
    absltest.main()
