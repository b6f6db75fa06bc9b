"""The bilevel search of Eq. 7: weights and architecture take turns."""

import keras

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.training import joint_model
from nppnet_tf.training import schedules

ARCHITECTURE_PREFIX = "architecture_"


class SearchModel(joint_model.JointModel):
    """Alternates network weights W and architecture A on two halves (Eq. 7).

    First order: A descends at the W just reached. In the first
    `warmup_epochs` only W moves; which of the two steps is traced is decided
    in Python, because a conditional around an optimizer fails on several
    replicas.

    Args:
        network: A supernet, with `network_weights`, `architecture_weights` and
            `entropy()`.
        joint_loss: A `JointLoss`.
        config: Of this stage of the search.

    Call arguments:
        data: Two batches under keys.WEIGHT_SPLIT and keys.ARCHITECTURE_SPLIT.
    """

    def __init__(
        self,
        network: keras.Model,
        joint_loss: keras.layers.Layer,
        config: configuration.SearchConfig,
    ) -> None:
        super().__init__(network, joint_loss)
        if not network.architecture_weights:
            raise ValueError(
                "A search needs a network with architecture parameters. "
                f"Received: network={network.name}, which is derived"
            )
        self.config = config
        self.architecture_moves = config.warmup_epochs == 0
        self.architecture_trackers = joint_model.loss_trackers(
            ARCHITECTURE_PREFIX
        )
        self.entropy_weight = self.add_weight(
            name="entropy_weight", initializer="zeros", trainable=False
        )
        self.entropy_schedule = schedules.Ramp(
            config.entropy_weight,
            config.entropy_start_epoch,
            config.entropy_ramp_epochs,
        )
        self._ready([*self._weight_updates(), self._architecture_update()])

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self.entropy_weight.assign(self.entropy_schedule(epoch))
        architecture_moves = epoch >= self.config.warmup_epochs
        if architecture_moves != self.architecture_moves:
            self.architecture_moves = architecture_moves
            self.make_train_function(force=True)

    def train_step(self, data):
        *weight_updates, architecture_update = self.updates
        # Eq. 7: first W on its half of the data, then A on the other half.
        self._descend(
            data[keys.WEIGHT_SPLIT], weight_updates, self.loss_trackers
        )
        if not self.architecture_moves:
            return joint_model.results(self.loss_trackers.values())
        self._descend(
            data[keys.ARCHITECTURE_SPLIT],
            [architecture_update],
            self.architecture_trackers,
        )
        return joint_model.results(
            [
                *self.loss_trackers.values(),
                *self.architecture_trackers.values(),
            ]
        )

    def _penalty(self):
        # Eq. 8 depends on no data: every replica adds an equal part.
        replicas = self.distribute_strategy.num_replicas_in_sync
        return self.entropy_weight * self.network.entropy() / replicas

    def _weight_updates(self):
        config = self.config
        return joint_model.weight_updates(
            self.network,
            self.joint_loss,
            schedules.StepDecay(
                config.learning_rate, config.drop_epochs, config.drop_factor
            ),
            config.task_weight_learning_rate,
        )

    def _architecture_update(self):
        config = self.config
        beta_1, beta_2 = config.architecture_betas
        return joint_model.make_update(
            "architecture_optimizer",
            self.network.architecture_weights,
            schedules.StepDecay(config.architecture_learning_rate),
            beta_1=beta_1,
            beta_2=beta_2,
            l2_penalty=config.architecture_weight_decay,
        )
