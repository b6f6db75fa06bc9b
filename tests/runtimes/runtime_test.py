"""Tests of runtimes.runtime."""

import dataclasses

from absl.testing import absltest

from nppnet_tf.errors import UserError
from nppnet_tf.runtimes import table


class RuntimeTest(absltest.TestCase):
    def test_what_is_not_installed_is_named_with_its_extra(self):
        runtime = dataclasses.replace(
            table.RUNTIMES["onnx"], packages={"absent_package": "onnx"}
        )

        for for_writing in (False, True):
            with self.assertRaisesRegex(
                UserError,
                r"ONNX Runtime is not installed; expected: pip install "
                r"'nppnet_tf\[onnx\]'; found: no package absent_package",
            ):
                runtime.require_packages(for_writing)

    def test_only_writing_needs_what_writes(self):
        runtime = dataclasses.replace(
            table.RUNTIMES["openvino"],
            writing_packages={"absent_package": "onnx"},
        )

        runtime.require_packages(for_writing=False)
        with self.assertRaisesRegex(UserError, r"nppnet_tf\[openvino,onnx\]"):
            runtime.require_packages(for_writing=True)


if __name__ == "__main__":
    absltest.main()
