"""What a search chooses from."""

import dataclasses

from nppnet_tf.errors import UserError
from nppnet_tf.search_space import primitives

# A state of the smallest network has 8 channels.
_MOST_PROPORTION = 1024

# By name, for command lines.
PRIMITIVES = {
    "paper": primitives.PAPER,
    "released_encoder_decoder": primitives.RELEASED_ENCODER_DECODER,
    "released_interaction_fusion": primitives.RELEASED_INTERACTION_FUSION,
}


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """The operations on every searched edge, and the channels they see.

    Attributes:
        primitives: Names of the operations, in the order of alpha.
        channel_proportion: k of Eq. 1: one channel in k goes through the
            operations, the others pass by; 2 in the paper's footnote. 1 is
            DARTS.

    Raises:
        UserError: If an operation is not there or there twice, or k is not.
    """

    primitives: tuple[str, ...] = primitives.PAPER
    channel_proportion: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "primitives", tuple(self.primitives))
        known = primitives.known()
        unknown = [name for name in self.primitives if name not in known]
        if unknown or not self.primitives:
            raise UserError(
                "unknown primitive of a search space"
                if unknown
                else "search space without a primitive",
                "`primitives`",
                f"some of {', '.join(known)}",
                ", ".join(map(str, unknown)) or "none",
            )
        if len(set(self.primitives)) < len(self.primitives):
            raise UserError(
                "a primitive stands twice in a search space",
                "`primitives`",
                "each once",
                ", ".join(self.primitives),
            )
        k = self.channel_proportion
        if type(k) is not int or not 1 <= k <= _MOST_PROPORTION:
            raise UserError(
                "no search has this proportion of channels",
                "`channel_proportion`",
                f"1 to {_MOST_PROPORTION}",
                k,
            )

    def get_config(self) -> dict:
        """Returns plain values, for `SearchSpace(**values)`."""
        return {
            "primitives": list(self.primitives),
            "channel_proportion": self.channel_proportion,
        }


PAPER = SearchSpace()
