"""Search strategies by name: which components they are made of.

A strategy is nothing but values of settings. Each of its components can be set
by itself, and a search knows no name of a strategy: it sees the components.
`nppnet_tf.strategies.table` makes them.
"""

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

from nppnet_tf.config import SearchConfig
from nppnet_tf.errors import UserError
from nppnet_tf.search_space import sources
from nppnet_tf.search_space.sources import Source

NONE = "none"

PERTURBATION = "perturbation"
REGULARIZER = "regularizer"
STOP_RULE = "stop_rule"
SELECTION = "selection"

RANDOM_SMOOTHING = "random_smoothing"
BETA_DECAY = "beta_decay"
CONCENTRATION = "concentration"
DARTS_PLUS = "darts_plus"
OLES = "oles"
SHARES = "shares"
BY_PERTURBATION = "perturbation"


class Component(NamedTuple):
    """One idea, by name.

    Attributes:
        name: Name in flags and runs.
        meaning: What it does, in a few words.
        source: Paper that it is from.
    """

    name: str
    meaning: str
    source: Source


_NOTHING = Component(NONE, "nothing of the kind", sources.NPPNET)

# By the setting of `SearchConfig` that names them.
_COMPONENTS = {
    PERTURBATION: [
        _NOTHING,
        Component(
            RANDOM_SMOOTHING,
            "uniform noise on the weights of operations while W descends",
            sources.SDARTS,
        ),
    ],
    REGULARIZER: [
        _NOTHING,
        Component(
            BETA_DECAY,
            "log of the sum of exp(alpha), so that alpha stays together",
            sources.BETA_DARTS,
        ),
        Component(
            CONCENTRATION,
            "squared distance of elu(alpha) + 1 from 1, so that it explores",
            sources.DRNAS,
        ),
    ],
    STOP_RULE: [
        _NOTHING,
        Component(
            DARTS_PLUS,
            "ends the search where a cell keeps many skips or ranks are stable",
            sources.DARTS_PLUS,
        ),
        Component(
            OLES,
            "freezes an operation whose gradients on both halves disagree",
            sources.OLES,
        ),
    ],
    SELECTION: [
        Component(
            SHARES,
            "keeps what holds the largest gamma, as Sec. 4.3 has it",
            sources.NPPNET,
        ),
        Component(
            BY_PERTURBATION,
            "keeps what the supernet misses most where it is taken away",
            sources.DARTS_PT,
        ),
    ],
}


def components(kind: str) -> tuple[Component, ...]:
    """Returns the components of a kind, "none" first."""
    return tuple(_COMPONENTS[kind])


def require_component(kind: str, name: str) -> None:
    """Raises a UserError unless there is such a component."""
    names = [each.name for each in _COMPONENTS[kind]]
    if name not in names:
        raise UserError(
            f"unknown {kind.replace('_', ' ')}",
            f"`{kind}`",
            ", ".join(names),
            name,
        )


def add_component(kind: str, component: Component) -> None:
    """Makes searches know a component; `strategies.table` adds its code.

    Raises:
        ValueError: If there is one of this name.
    """
    if component.name in [each.name for each in _COMPONENTS[kind]]:
        raise ValueError(f"There is such a {kind}. Received: {component.name}")
    _COMPONENTS[kind].append(component)


@dataclasses.dataclass(frozen=True)
class Strategy:
    """A strategy as values of settings.

    Attributes:
        name: Name in flags.
        source: Paper that it is from.
        settings: What it sets of `SearchConfig`.
        channel_proportion: k of Eq. 1, what it sets of `SearchSpace`; None
            where it leaves it.
    """

    name: str
    source: Source
    settings: Mapping[str, object] = dataclasses.field(default_factory=dict)
    channel_proportion: int | None = None

    def configured(self, config: SearchConfig) -> SearchConfig:
        """Returns a configuration with the strategy's components.

        Args:
            config: Configuration; what is not the default in it stays.
        """
        defaults = SearchConfig()
        return dataclasses.replace(
            config,
            **{
                name: value
                for name, value in self.settings.items()
                if getattr(config, name) == getattr(defaults, name)
            },
        )


NPPNET = "nppnet"
RANDOM = "random"

# E(A) is the paper's own; the others decide without it.
_DARTS = {"entropy_weight": 0.0}

_KNOWN = {
    strategy.name: strategy
    for strategy in (
        Strategy(NPPNET, sources.NPPNET),
        Strategy("pc_darts", sources.PC_DARTS, _DARTS, 4),
        Strategy("darts", sources.DARTS, _DARTS, 1),
        Strategy("gdas", sources.GDAS, {**_DARTS, "relaxation": "gumbel"}, 1),
        Strategy("snas", sources.SNAS, {**_DARTS, "relaxation": "concrete"}, 1),
        Strategy(
            "drnas",
            sources.DRNAS,
            {
                **_DARTS,
                "relaxation": "dirichlet",
                "regularizer": CONCENTRATION,
                "regularizer_weight": 1e-3,
            },
            4,
        ),
        Strategy(
            "sdarts_rs",
            sources.SDARTS,
            {**_DARTS, "perturbation": RANDOM_SMOOTHING},
            1,
        ),
        Strategy(
            "beta_darts",
            sources.BETA_DARTS,
            {
                **_DARTS,
                "regularizer": BETA_DECAY,
                # Half the number of the epoch, as in the authors' code.
                "regularizer_weight": 25.0,
                "regularizer_ramp_epochs": 49,
            },
            1,
        ),
        Strategy(RANDOM, sources.RANDOM),
    )
}


def known() -> tuple[Strategy, ...]:
    """Returns every strategy there is, the paper's first."""
    return tuple(_KNOWN.values())


def named(name: str) -> Strategy:
    """Returns a strategy by its name.

    Raises:
        UserError: If there is none.
    """
    if name not in _KNOWN:
        raise UserError(
            "unknown search strategy",
            "`search_strategy`",
            ", ".join(_KNOWN),
            name,
        )
    return _KNOWN[name]


def register(strategy: Strategy) -> None:
    """Adds a strategy of one's own, for this process.

    Raises:
        ValueError: If there is one of this name, or it sets what no search
            has.
    """
    fields = {field.name for field in dataclasses.fields(SearchConfig)}
    unknown = set(strategy.settings) - fields
    if strategy.name in _KNOWN or unknown:
        raise ValueError(
            "A strategy has a name of its own and sets what a search has. "
            f"Received: {strategy.name}, {sorted(unknown)}"
        )
    _KNOWN[strategy.name] = strategy
