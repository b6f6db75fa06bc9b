"""From a trained network to pictures, numbers and a SavedModel."""
