"""Joint human parsing and pose estimation by architecture search."""

__version__ = "0.1.0"
