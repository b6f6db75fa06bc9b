"""The components by name: what makes each of them for a search."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any

from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import strategies
from nppnet_tf.search_space.primitives import SKIP_CONNECT
from nppnet_tf.strategies import regularizers
from nppnet_tf.strategies.operation_freezing import OperationFreezing
from nppnet_tf.strategies.perturbation import Perturbation
from nppnet_tf.strategies.perturbation import RandomSmoothing
from nppnet_tf.strategies.skip_dropout import SkipDropout
from nppnet_tf.strategies.stop_rules import DartsPlus
from nppnet_tf.strategies.stop_rules import StopRule

# Takes alpha [edges, primitives]; returns a penalty for each edge.
Regularizer = Callable[[Any], Any]

# Takes the settings and a name for the layer.
PerturbationMaker = Callable[[SearchConfig, str], Perturbation]

_PERTURBATIONS: dict[str, PerturbationMaker] = {
    strategies.RANDOM_SMOOTHING: lambda config, name: RandomSmoothing(
        config.perturbation_size, config.perturbation_ramp_epochs, name=name
    )
}

_REGULARIZERS: dict[str, Regularizer] = {
    strategies.BETA_DECAY: regularizers.beta_decay,
    strategies.CONCENTRATION: regularizers.concentration,
}

_STOP_RULES: dict[str, type[StopRule]] = {
    strategies.NONE: StopRule,
    strategies.DARTS_PLUS: DartsPlus,
    strategies.OLES: OperationFreezing,
}

_CODE = {
    strategies.PERTURBATION: _PERTURBATIONS,
    strategies.REGULARIZER: _REGULARIZERS,
    strategies.STOP_RULE: _STOP_RULES,
}


def require(config: SearchConfig) -> None:
    """Raises a UserError unless there are all components of a search."""
    for kind in _CODE:
        strategies.require_component(kind, getattr(config, kind))


def make_perturbations(
    config: SearchConfig, primitives: Sequence[str], part: str
) -> list[Perturbation]:
    """Returns what disturbs the weights of one part, built.

    Args:
        config: Settings of the search.
        primitives: Names in the order of alpha.
        part: Name of the part, "pose/fusion".

    Raises:
        UserError: If there is no such perturbation, or skips are to be
            dropped where there are none.
    """
    strategies.require_component(strategies.PERTURBATION, config.perturbation)
    made = []
    # Checkpoints hold keys by the names of layers.
    place = part.replace("/", "_")
    if config.perturbation != strategies.NONE:
        make = _PERTURBATIONS[config.perturbation]
        made.append(make(config, f"{place}_{config.perturbation}"))
    if config.skip_dropout:
        if SKIP_CONNECT not in primitives:
            raise UserError(
                "no skip connection is searched that could be dropped",
                "`skip_dropout`",
                f"0, or {SKIP_CONNECT} among the operations",
                config.skip_dropout,
            )
        columns = [primitives.index(SKIP_CONNECT)]
        made.append(
            SkipDropout(
                columns,
                config.skip_dropout,
                config.skip_dropout_decay,
                name=f"{place}_skip_dropout",
            )
        )
    for perturbation in made:
        perturbation.build()
    return made


def regularizer(name: str) -> Regularizer | None:
    """Returns a penalty by its name, None for "none".

    Raises:
        UserError: If there is none.
    """
    strategies.require_component(strategies.REGULARIZER, name)
    return None if name == strategies.NONE else _REGULARIZERS[name]


def stop_rule(name: str) -> type[StopRule]:
    """Returns the class of what stops a search, by its name.

    Raises:
        UserError: If there is none.
    """
    strategies.require_component(strategies.STOP_RULE, name)
    return _STOP_RULES[name]


def register(kind: str, component: strategies.Component, code: object) -> None:
    """Adds a component of one's own, for this process.

    Args:
        kind: "perturbation", "regularizer" or "stop_rule".
        component: Name and meaning of it.
        code: `PerturbationMaker`, `Regularizer` or subclass of `StopRule`.

    Raises:
        ValueError: If there is one of this name.
    """
    strategies.add_component(kind, component)
    _CODE[kind][component.name] = code
