"""Search and retraining."""
