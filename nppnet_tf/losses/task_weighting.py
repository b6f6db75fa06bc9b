"""Learned weights between the tasks, by their homoscedastic uncertainty."""

from collections.abc import Mapping
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf import replicas


@keras.saving.register_keras_serializable(package="nppnet_tf")
class TaskWeighting(keras.layers.Layer):
    """Adds the losses of the tasks with weights that are learned.

    total = sum over stages s and tasks t of exp(-l_ts) * loss_ts + l_ts, with
    one log variance l for every task and stage. The second term keeps the
    weight from vanishing. It counts only where the global batch holds
    annotation of the task: without the loss to answer it, it would drive l
    down, and the weight up, without end.

    Reference:
        Kendall et al., Multi-task learning using uncertainty to weigh losses,
        https://arxiv.org/abs/1705.07115, as the release uses it.

    Args:
        num_stages: Stages of predictions: 1 or 2.
        initial_log_variances: First l of every task, by `keys.BRANCHES`.

    Call arguments:
        losses: This replica's shares of every task's loss, by `keys.BRANCHES`,
            one float scalar per stage.
        global_counts: For every task the annotated samples or pixels of the
            global batch; only whether it is 0 matters.

    Returns:
        Float32 scalar, this replica's share of the total.
    """

    def __init__(
        self,
        num_stages: int,
        initial_log_variances: Mapping[str, float],
        **kwargs,
    ) -> None:
        super().__init__(dtype="float32", **kwargs)
        if set(initial_log_variances) != set(keys.BRANCHES):
            raise ValueError(
                f"`initial_log_variances` must name {keys.BRANCHES}. "
                f"Received: initial_log_variances={initial_log_variances}"
            )
        self.num_stages = num_stages
        self.initial_log_variances = dict(initial_log_variances)
        self.log_variances = {
            task: self.add_weight(
                shape=(num_stages,),
                initializer=keras.initializers.Constant(
                    self.initial_log_variances[task]
                ),
                name=f"{task}_log_variance",
            )
            for task in keys.BRANCHES
        }
        self.built = True

    def call(
        self,
        losses: Mapping[str, Sequence[tf.Tensor]],
        global_counts: Mapping[str, tf.Tensor],
    ) -> tf.Tensor:
        total = 0.0
        for task in keys.BRANCHES:
            log_variance = tf.convert_to_tensor(self.log_variances[task])
            present = tf.cast(global_counts[task] > 0, tf.float32)
            # The regularizer has no samples to be shared by: every replica
            # holds an equal part of it.
            regularizer = present / replicas.num_replicas() * log_variance
            weighted = tf.exp(-log_variance) * tf.stack(list(losses[task]))
            total += tf.reduce_sum(weighted + regularizer)
        return total

    @property
    def task_weights(self) -> dict[str, tf.Tensor]:
        """exp(-l) by "<task>_stage_<s>", float32 scalars."""
        return {
            f"{task}_stage_{stage}": weight
            for task in keys.BRANCHES
            for stage, weight in enumerate(
                tf.unstack(
                    tf.exp(-tf.convert_to_tensor(self.log_variances[task])),
                    num=self.num_stages,
                )
            )
        }

    def get_config(self) -> dict:
        config = super().get_config()
        del config["dtype"]  # Always float32.
        return {
            **config,
            "num_stages": self.num_stages,
            "initial_log_variances": self.initial_log_variances,
        }
