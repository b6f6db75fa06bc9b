"""The authors' checkpoints: their keys and layouts."""
