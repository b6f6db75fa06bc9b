"""Search and retraining: models that train, callbacks, checkpoints."""
