"""What pytest needs before any test module runs an operation."""

import os

from absl import flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

from tests import two_replicas  # noqa: E402, F401  (configures on import)

# `create_tempdir` reads a flag of absltest; pytest parses no abseil flags.
flags.FLAGS.mark_as_parsed()
