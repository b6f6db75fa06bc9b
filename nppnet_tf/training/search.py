"""The bilevel search of Eq. 7: weights and architecture take turns."""

import contextlib
import functools
from collections.abc import Mapping
from collections.abc import Sequence

import keras
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf import replicas
from nppnet_tf.layers import normalization
from nppnet_tf.layers.relaxations.relaxation_layer import RelaxationLayer
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.metrics.mean_iou import MeanIoU
from nppnet_tf.metrics.pck import HeatmapPCKh
from nppnet_tf.models import keras_settings
from nppnet_tf.models.budget import Budget
from nppnet_tf.models.budget import BudgetTerm
from nppnet_tf.models.nppnet import NPPNet
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace
from nppnet_tf.strategies import perturbation
from nppnet_tf.strategies import table
from nppnet_tf.training import joint_model
from nppnet_tf.training import schedules
from nppnet_tf.training.adam import Adam
from nppnet_tf.training.adam import slots

ARCHITECTURE_PREFIX = "architecture_"
ARCHITECTURE_OPTIMIZER = "architecture_optimizer"


class SearchModel(joint_model.JointModel):
    """Alternates network weights W and architecture A on two halves (Eq. 7).

    First order: A descends at the W just reached. In the first
    `warmup_epochs` only W moves; which of the two steps runs is decided in
    Python, because a conditional around an optimizer fails on several
    replicas. The steps are traced apart, each when it is first needed.

    Moving statistics of normalizations stay as they are: a supernet is never
    run but with the statistics of its batch, and derived networks start anew.

    Args:
        network: A supernet: an `NPPNet` or another `SearchedNetwork`.
        joint_loss: A `JointLoss`, or what `JointModel` takes in its place.
        config: Config of this stage of the search.
        optimizers: Optimizers in place of Adam, see `JointModel`:
            "weight_optimizer", "task_weight_optimizer",
            "architecture_optimizer".

    Call arguments:
        data: Two batches under keys.WEIGHT_SPLIT and keys.ARCHITECTURE_SPLIT.
    """

    def __init__(
        self,
        network: keras.Model,
        joint_loss: keras.layers.Layer,
        config: configuration.SearchConfig,
        optimizers: Mapping[str, joint_model.OptimizerMaker] | None = None,
    ) -> None:
        super().__init__(network, joint_loss)
        if not network.architecture_weights:
            raise ValueError(
                "A search needs a network with architecture parameters. "
                f"Received: network={network.name}, which is derived"
            )
        self.config = config
        self.budget_term: BudgetTerm | None = None
        self.architecture_moves = config.warmup_epochs == 0
        self.architecture_trackers = joint_model.loss_trackers(
            joint_loss, ARCHITECTURE_PREFIX
        )
        self.entropy_weight = self.add_weight(
            name="entropy_weight", initializer="zeros", trainable=False
        )
        self.entropy_schedule = schedules.Ramp(
            config.entropy_weight,
            config.entropy_start_epoch,
            config.entropy_ramp_epochs,
        )
        self.perturbations = self._perturbations()
        self.regularizer = table.regularizer(config.regularizer)
        self.regularizer_weight = 0.0
        if self.regularizer:
            self.regularizer_weight = self.add_weight(
                name="regularizer_weight", initializer="zeros", trainable=False
            )
        self.stop_rule = table.stop_rule(config.stop_rule)(config, network)
        self.scores = []
        for relaxation in self.relaxations:
            relaxation.set_temperatures(
                config.first_temperature,
                config.last_temperature,
                config.temperature_decay,
            )
        self._ready(
            [
                *self._weight_updates(optimizers),
                self._architecture_update(optimizers or {}),
            ],
            optimizers,
        )

    @property
    def trackers(self) -> list[keras.metrics.Mean]:
        return [*super().trackers, *self.architecture_trackers.values()]

    @property
    def relaxations(self) -> list[RelaxationLayer]:
        """What makes weights of alpha and beta, part by part."""
        return [
            parameters.relaxation
            for parameters in self.network.architecture.values()
        ]

    @property
    def kept_variables(self) -> dict[str, list[keras.Variable]]:
        # What was drawn so far; sizes follow the epoch.
        keys_of_draws = [each.key for each in self.perturbations]
        pull = [self.budget_term.pull] if self.budget_term else []
        kept = {
            "perturbations": keys_of_draws,
            "stop_rule": list(self.stop_rule.variables),
            "budget": pull,
        }
        return {name: found for name, found in kept.items() if found}

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        for each in (*self.relaxations, *self.perturbations):
            each.begin_epoch(epoch)
        self.entropy_weight.assign(self.entropy_schedule(epoch))
        if self.regularizer:
            ramp = schedules.Ramp(
                self.config.regularizer_weight,
                ramp_epochs=self.config.regularizer_ramp_epochs,
            )
            self.regularizer_weight.assign(ramp(epoch))
        self.architecture_moves = epoch >= self.config.warmup_epochs

    @property
    def budget(self) -> Budget | None:
        return None if self.budget_term is None else self.budget_term.budget

    def keep_to(self, budget: Budget) -> None:
        """Aims at a cost of the derived network, before the first step."""
        with self.distribute_strategy.scope():
            self.budget_term = BudgetTerm(budget)

    @property
    def steps(self):
        """Eq. 7: first W on its half of the data, then A on the other half."""
        if self.architecture_moves:
            return (self.weight_step, self.architecture_step)
        return (self.weight_step,)

    def weight_step(self, data):
        """W of Eq. 7: network weights and task weights descend on tra_w."""
        *weight_updates, _ = self.updates
        with normalization.frozen_statistics(), perturbation.within(False):
            self._descend(
                data[keys.WEIGHT_SPLIT], weight_updates, self.loss_trackers
            )
        return joint_model.results(self.loss_trackers.values())

    def architecture_step(self, data):
        """A of Eq. 7: alpha and beta descend on tra_alpha, with E(A)."""
        with normalization.frozen_statistics(), perturbation.within(True):
            self._descend(
                data[keys.ARCHITECTURE_SPLIT],
                self.updates[-1:],
                self.architecture_trackers,
            )
        return joint_model.results(self.architecture_trackers.values())

    def take_step(self, data):
        if self._compares():
            self.traced(self.comparison_step)(data)
            self._stop_held()
        return super().take_step(data)

    @property
    def is_step_traced(self):
        is_new = self.comparison_step.__name__ not in self._traced_steps
        # A comparison may come first when all else has long been traced.
        return super().is_step_traced and not (is_new and self._compares())

    def _compares(self) -> bool:
        """Whether the stop rule compares gradients before the next step."""
        if not (self.stop_rule.weights and self.architecture_moves):
            return False
        iterations = self.updates[0].optimizer.iterations
        steps = int(keras.ops.convert_to_numpy(iterations))
        return steps % self.stop_rule.compare_every == 0

    def comparison_step(self, data):
        """Shows the stop rule the gradients of its weights on both halves."""
        with normalization.frozen_statistics(), perturbation.within(False):
            gradients = [
                replicas.sums(
                    self._gradients(data[split], self.stop_rule.weights)
                )
                for split in (keys.WEIGHT_SPLIT, keys.ARCHITECTURE_SPLIT)
            ]
        self.stop_rule.compare(*gradients)
        return {}

    def _gradients(self, batch, variables: Sequence[keras.Variable]):
        """Returns the gradient of the loss of a batch; moves nothing."""
        watched = [variable.value for variable in variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(watched)
            predictions = self.network(batch[keys.IMAGE], training=True)
            losses = self.joint_loss(batch, predictions)
        return tape.gradient(
            losses[keys.TOTAL_LOSS],
            watched,
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )

    def _stop_held(self) -> None:
        """Lets held weights stand still at once, and not coast."""
        held = {id(weight) for weight in self.stop_rule.held_weights}
        update, *_ = self.updates
        momentums = slots(update.optimizer, "momentum")
        # Of an optimizer without momentum there are none.
        pairs = zip(update.variables, momentums, strict=False)
        for variable, momentum in pairs:
            if id(variable) in held:
                momentum.assign(tf.zeros(momentum.shape))

    def score_by(self, metrics: Sequence[MeanIoU | HeatmapPCKh]) -> None:
        """Sets what `held_step` shows its predictions to.

        Args:
            metrics: Made in the scope of the strategy; who reads them resets
                them first.
        """
        self.scores = list(metrics)

    def held_step(self, data):
        """Returns the losses of a batch under given shares; moves nothing.

        `scores` see its predictions.

        Args:
            data: A batch, and the share of every operation by part.
        """
        batch, shares = data
        with contextlib.ExitStack() as stack:
            stack.enter_context(normalization.frozen_statistics())
            for part, parameters in self.network.architecture.items():
                stack.enter_context(parameters.holding(shares[part]))
            predictions = self.network(batch[keys.IMAGE], training=True)
            losses = self.joint_loss(batch, predictions)
        for metric in self.scores:
            metric.update(batch, predictions)
        return self._whole(losses)

    def gradient_step(self, batch):
        """Returns the gradient of the loss by alpha and beta; moves nothing."""
        with normalization.frozen_statistics(), perturbation.within(True):
            gradients = self._gradients(
                batch, self.network.architecture_weights
            )
        numbered = {str(i): each for i, each in enumerate(gradients)}
        return self._whole(numbered)

    def _whole(self, of_replica):
        """What replicas hold a share of, such that their mean is the whole."""
        count = self.distribute_strategy.num_replicas_in_sync
        return {name: each * count for name, each in of_replica.items()}

    def apply(self, updates, gradients):
        gradients = [
            self.stop_rule.without_held(update.variables, of_update)
            for update, of_update in zip(updates, gradients, strict=True)
        ]
        super().apply(updates, gradients)
        if _moves_architecture(updates) and self.budget_term is not None:
            self.budget_term.ascend(self.network.architecture)
        for each in (*self.relaxations, *self.perturbations):
            each.draw_anew()

    def _predict(self, image):
        # With the statistics of the batch: a supernet has no others.
        with normalization.frozen_statistics():
            return self.network(image, training=True)

    def penalty(self, updates):
        if not _moves_architecture(updates):
            return 0.0
        # Eq. 8 depends on no data: every replica adds an equal part.
        count = self.distribute_strategy.num_replicas_in_sync
        penalty = self.entropy_weight * self.network.entropy()
        if self.budget_term is not None:
            penalty += self.budget_term.value(self.network.architecture)
        if self.regularizer:
            penalty += self.regularizer_weight * self._regularization()
        return penalty / count

    def _regularization(self):
        """Mean over all searched edges, as that of E(A)."""
        parameters = self.network.architecture.values()
        of_edges = [self.regularizer(each.alpha.value) for each in parameters]
        return tf.reduce_mean(tf.concat(of_edges, 0))

    def _perturbations(self) -> list[perturbation.Perturbation]:
        """Lets every part be disturbed by what the configuration names."""
        every = []
        for name, parameters in self.network.architecture.items():
            made = table.make_perturbations(
                self.config, self.network.space.primitives, name
            )
            if made:
                parameters.perturb = functools.partial(_apply, made)
            every += made
        return every

    def _weight_updates(self, optimizers):
        config = self.config
        return joint_model.weight_updates(
            self.network,
            self.joint_loss,
            schedules.StepDecay(
                config.learning_rate, config.drop_epochs, config.drop_factor
            ),
            config.task_weight_learning_rate,
            optimizers,
        )

    def _architecture_update(self, optimizers):
        config = self.config
        beta_1, beta_2 = config.architecture_betas
        adam = functools.partial(
            Adam,
            beta_1=beta_1,
            beta_2=beta_2,
            l2_penalty=config.architecture_weight_decay,
        )
        return joint_model.make_update(
            ARCHITECTURE_OPTIMIZER,
            self.network.architecture_weights,
            schedules.StepDecay(config.architecture_learning_rate),
            optimizers.get(ARCHITECTURE_OPTIMIZER, adam),
        )


def _moves_architecture(updates: Sequence[joint_model.Update]) -> bool:
    """Returns whether it is alpha and beta that descend."""
    return updates[0].name == ARCHITECTURE_OPTIMIZER


def _apply(made: Sequence[perturbation.Perturbation], weights):
    for each in made:
        weights = each(weights)
    return weights


def make_search_model(
    genotype: genotypes.Genotype,
    network_config: configuration.NetworkConfig,
    loss_config: configuration.LossConfig,
    search_config: configuration.SearchConfig,
    strategy: tf.distribute.Strategy,
    space: SearchSpace = PAPER,
    optimizers: Mapping[str, joint_model.OptimizerMaker] | None = None,
) -> SearchModel:
    """Makes supernet, loss and optimizers in the scope of a strategy."""
    with strategy.scope():
        network = NPPNet(
            genotype,
            network_config,
            space,
            search_config.relaxation,
            dtype=keras_settings.policy_of(search_config.precision),
        )
        joint_loss = JointLoss(network.num_stages, loss_config)
        return SearchModel(network, joint_loss, search_config, optimizers)
