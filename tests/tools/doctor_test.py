"""The doctor's line for everything, and its status."""

import pathlib

from absl.testing import absltest

from tests.user_paths import user_path


class DoctorTest(absltest.TestCase):
    def test_all_is_well_here(self):
        # A machine of tests; what it has is what runs need.
        result = user_path.run("doctor")

        self.assertEqual(result.stderr, "")
        self.assertEqual(result.exit_code, 0, result.stdout)
        self.assertRegex(result.stdout, r"ok   TensorFlow: \S+ computes")
        self.assertTrue(result.stdout.endswith("all is well\n"))

    def test_says_so_where_tensorflow_cannot_be_imported(self):
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "tensorflow.py").write_text('raise ImportError("no AVX")')

        result = user_path.run(
            "doctor", PYTHONPATH=str(folder), TF_CONFIG='{"cluster": {}}'
        )

        self.assertEqual((result.exit_code, result.stderr), (1, ""))
        self.assertIn("MEND TensorFlow: cannot be used", result.stdout)
        self.assertIn("no AVX", result.stdout)
        self.assertIn("MEND TF_CONFIG", result.stdout)
        self.assertIn("to be mended: TensorFlow, TF_CONFIG\n", result.stdout)

    def test_wrong_flags_have_another_status(self):
        result = user_path.run("doctor", "--no_such_flag")

        self.assertEqual(result.exit_code, 2)


if __name__ == "__main__":
    absltest.main()
