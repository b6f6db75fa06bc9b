"""Makes the two logical CPUs before any test module runs an operation."""

from tests import two_replicas  # noqa: F401  (configures on import)
