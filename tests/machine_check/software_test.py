"""Versions, TensorFlow and GPUs are judged, with what to do."""

import os
import pathlib
from unittest import mock

from absl.testing import absltest
from absl.testing import parameterized

from nppnet_tf.machine_check import finding
from nppnet_tf.machine_check import software

_FACTS = {"gpus": [], "cuda": "12.5", "cudnn": "9"}


class VersionsTest(parameterized.TestCase):
    @parameterized.parameters(
        ((3, 10), finding.MEND), ((3, 13), finding.WELL), ((3, 14), "mend")
    )
    def test_python_has_a_range(self, version, state):
        self.assertEqual(software.python_version(version).state, state)

    @parameterized.named_parameters(
        ("old", "numpy>=999", "numpy>=999"),
        ("absent", "no-such-package>=1,<2", "no-such-package>=1,<2"),
    )
    def test_a_package_out_of_its_range_is_to_be_mended(self, text, remedy):
        (found,) = software.packages([text], "")

        self.assertEqual(found.state, finding.MEND)
        self.assertIn(remedy, found.remedy)

    def test_extras_are_not_required(self):
        (found,) = software.packages(
            ["numpy", 'no-such-package; extra == "test"'], ""
        )

        self.assertEqual(found.state, finding.WELL)

    def test_another_version_than_the_tested_one_is_a_note(self):
        *_, found = software.packages(["numpy"], "numpy==0.1\nabsent==1\n")

        self.assertEqual(found.state, finding.NOTE)
        self.assertRegex(found.found, r"^numpy \S+ \(tested: 0.1\)$")


class DevicesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.driver = self.create_tempfile("nvidiactl").full_path

    def _libraries(self, packages=(), **variables):
        names = [mock.Mock() for _ in packages]
        for each, package in zip(names, packages, strict=True):
            each.name = package
        with (
            mock.patch.dict(os.environ, variables),
            mock.patch("importlib.metadata.distributions", lambda: names),
        ):
            return list(software.devices(_FACTS, [self.driver]))

    def test_a_cpu_is_well_but_noted(self):
        (found,) = software.devices(_FACTS, ["/absent"])

        self.assertEqual(found.state, finding.NOTE)

    def test_a_gpu_that_is_not_seen_has_a_reason(self):
        for packages, variables, reason in (
            ([], {}, "and-cuda"),
            (["nvidia-cudnn"], {"CUDA_VISIBLE_DEVICES": ""}, "hides every"),
            (["nvidia-cudnn"], {"LD_LIBRARY_PATH": "/x"}, "another CUDA"),
            (["nvidia-cudnn"], {"LD_LIBRARY_PATH": ""}, "nvidia-smi"),
        ):
            devices, libraries = self._libraries(packages, **variables)

            self.assertEqual(devices.state, finding.MEND)
            self.assertIn(reason, libraries.remedy)

    def test_gpus_are_named(self):
        facts = {**_FACTS, "gpus": ["H200"]}

        found = list(software.devices(facts, [self.driver]))

        self.assertTrue(all(each.state == finding.WELL for each in found))
        self.assertIn("H200", found[0].found)


class TensorFlowTest(absltest.TestCase):
    def test_what_cannot_be_imported_says_why(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "tensorflow.py").write_text('raise ImportError("no AVX")')
        (folder / "keras.py").write_text("")

        found, facts = software.tensorflow(
            {**os.environ, "PYTHONPATH": str(folder)}
        )

        self.assertEqual((found.state, facts), (finding.MEND, {}))
        self.assertIn("ImportError: no AVX", found.found)

    def test_a_process_that_crashes_is_told(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "keras.py").write_text("import os; os.kill(os.getpid(), 4)")

        found, _ = software.tensorflow(
            {**os.environ, "PYTHONPATH": str(folder)}
        )

        self.assertIn("signal 4", found.found)


if __name__ == "__main__":
    absltest.main()
