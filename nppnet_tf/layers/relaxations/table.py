"""The relaxations by name: which graph form each of them has."""

from collections.abc import Callable

from nppnet_tf.layers.relaxations.concrete import ConcreteRelaxation
from nppnet_tf.layers.relaxations.dirichlet import DirichletRelaxation
from nppnet_tf.layers.relaxations.gumbel import GumbelRelaxation
from nppnet_tf.layers.relaxations.reinmax import ReinMaxRelaxation
from nppnet_tf.layers.relaxations.relaxation_layer import RelaxationLayer
from nppnet_tf.layers.relaxations.relaxation_layer import SoftmaxRelaxation
from nppnet_tf.search_space import relaxation as contracts

_FORMS = {
    contracts.SOFTMAX: SoftmaxRelaxation,
    contracts.GUMBEL: GumbelRelaxation,
    contracts.CONCRETE: ConcreteRelaxation,
    contracts.REINMAX: ReinMaxRelaxation,
    contracts.DIRICHLET: DirichletRelaxation,
}


def make(name: str) -> RelaxationLayer:
    """Returns the graph form of a relaxation, for one part.

    Raises:
        UserError: If there is no such relaxation.
    """
    return _FORMS[contracts.named(name).name](name="relaxation")


def register(
    contract: contracts.Relaxation, form: Callable[..., RelaxationLayer]
) -> None:
    """Adds a relaxation of one's own, for this process.

    Searches take its name from here on, and so does what reads them; a process
    that reads them registers it first.

    Args:
        contract: Name and weights of the relaxation in NumPy.
        form: Makes its graph form for one part, of (name=...).

    Raises:
        ValueError: If there is a relaxation of this name.
    """
    contracts.register(contract)
    _FORMS[contract.name] = form
