"""Joint human parsing and pose estimation by architecture search.

A room for each concern, drawn in docs/architecture.md; `BUILD` says which room
may import which. Directly in here stands what all rooms share: dictionary
keys, configurations, errors, workers and words for times. Begin with
`models.nppnet` for the network, with `training.run` to search or retrain, and
with `inference.predictor` to ask a trained network.
"""

__version__ = "0.1.0"
