"""Retraining of a derived network on the whole training set (Sec. 3.6)."""

from collections.abc import Sequence

import keras

from nppnet_tf import config as configuration
from nppnet_tf.training import joint_model
from nppnet_tf.training import schedules


class RetrainModel(joint_model.JointModel):
    """Trains the weights of a network whose architecture is decided.

    Args:
        network: A derived network, with `network_weights`.
        joint_loss: A `JointLoss`.
        config: Of the retraining.
        validation_metrics: See `JointModel`.

    Call arguments:
        data: One batch by the names of `keys`.
    """

    def __init__(
        self,
        network: keras.Model,
        joint_loss: keras.layers.Layer,
        config: configuration.RetrainConfig,
        validation_metrics: Sequence[keras.metrics.Metric] = (),
    ) -> None:
        super().__init__(network, joint_loss, validation_metrics)
        if network.architecture_weights:
            raise ValueError(
                "Retraining needs a derived network. "
                f"Received: network={network.name}, which is a supernet"
            )
        self.config = config
        schedule = schedules.StepDecay(
            config.learning_rate, config.drop_epochs, config.drop_factor
        )
        self._ready(
            joint_model.weight_updates(
                network, joint_loss, schedule, config.task_weight_learning_rate
            )
        )

    def train_step(self, data):
        self._descend(data, self.updates, self.loss_trackers)
        return joint_model.results(self.loss_trackers.values())
