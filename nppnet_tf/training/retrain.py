"""Retraining of a derived network on the whole training set (Sec. 3.6)."""

from collections.abc import Mapping
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.data import descriptors
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.metrics.mean_iou import MeanIoU
from nppnet_tf.metrics.pck import HeatmapPCKh
from nppnet_tf.models import keras_settings
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.training import joint_model
from nppnet_tf.training import schedules


class RetrainModel(joint_model.JointModel):
    """Trains the weights of a network whose architecture is decided.

    Args:
        network: A derived network, with `network_weights`.
        joint_loss: A `JointLoss`.
        config: Config of the retraining.
        validation_metrics: `MeanIoU` and `HeatmapPCKh`, at the size of the
            network: not the published protocols.
        optimizers: Optimizers in place of Adam, see `JointModel`:
            "weight_optimizer", "task_weight_optimizer".

    Call arguments:
        data: One batch by the names of `keys`.
    """

    def __init__(
        self,
        network: keras.Model,
        joint_loss: keras.layers.Layer,
        config: configuration.RetrainConfig,
        validation_metrics: Sequence[MeanIoU | HeatmapPCKh] = (),
        optimizers: Mapping[str, joint_model.OptimizerMaker] | None = None,
    ) -> None:
        super().__init__(network, joint_loss)
        self.validation_metrics = list(validation_metrics)
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
                network,
                joint_loss,
                schedule,
                config.task_weight_learning_rate,
                optimizers,
            ),
            optimizers,
        )

    @property
    def steps(self):
        return (self.weight_step,)

    def weight_step(self, data):
        """Network weights and task weights descend."""
        self._descend(data, self.updates, self.loss_trackers)
        return joint_model.results(self.loss_trackers.values())

    def test_step(self, data):
        predictions = self.network(data[keys.IMAGE], training=False)
        self.track(self.joint_loss(data, predictions), self.loss_trackers)
        for metric in self.validation_metrics:
            metric.update(data, predictions)
        return joint_model.results(
            [*self.loss_trackers.values(), *self.validation_metrics]
        )


def make_retrain_model(
    genotype: genotypes.Genotype,
    network_config: configuration.NetworkConfig,
    loss_config: configuration.LossConfig,
    retrain_config: configuration.RetrainConfig,
    descriptor: descriptors.DatasetDescriptor,
    strategy: tf.distribute.Strategy,
    optimizers: Mapping[str, joint_model.OptimizerMaker] | None = None,
) -> RetrainModel:
    """Makes network, loss, metrics and optimizers in a strategy's scope."""
    with strategy.scope():
        network = NPPNet(
            genotype,
            network_config,
            dtype=keras_settings.policy_of(retrain_config.precision),
        )
        joint_loss = JointLoss(network.num_stages, loss_config)
        return RetrainModel(
            network,
            joint_loss,
            retrain_config,
            joint_model.scores_of(descriptor),
            optimizers,
        )
