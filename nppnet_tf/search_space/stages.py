"""The two stages of the search (Sec. 4.2), as the genotype each starts from."""

from nppnet_tf.errors import UserError
from nppnet_tf.search_space.genotype import OMIT
from nppnet_tf.search_space.genotype import SEARCH
from nppnet_tf.search_space.genotype import Genotype

ENCODER_DECODER = "encoder_decoder"
INTERACTION_FUSION = "interaction_fusion"
NAMES = (ENCODER_DECODER, INTERACTION_FUSION)

# What the second stage may do with interaction and fusion.
STATES = (SEARCH, OMIT)


def start(
    stage: str,
    known: Genotype | None = None,
    interaction: str = SEARCH,
    fusion: str = SEARCH,
) -> Genotype:
    """Returns what a stage of the search starts from.

    Args:
        stage: `ENCODER_DECODER`, which searches it alone, or
            `INTERACTION_FUSION`, which keeps the one that is known.
        known: Genotype whose encoder-decoder the second stage keeps.
        interaction: "search", or "omit" for rows of Table 5; second stage.
        fusion: The same for the fusion.

    Raises:
        UserError: If there is no such stage, the first one is given a
            genotype, or the second has no encoder-decoder or nothing to
            search.
    """
    if stage not in NAMES:
        raise UserError("no such stage", "`stage`", " or ".join(NAMES), stage)
    if stage == ENCODER_DECODER:
        if known is not None:
            raise UserError(
                "the first stage starts from nothing",
                "`genotype`",
                f"no genotype, or `stage`={INTERACTION_FUSION}",
                "one",
            )
        return Genotype(SEARCH)
    if known is None or known.encoder_decoder == SEARCH:
        raise UserError(
            "the second stage needs an encoder-decoder",
            "`genotype`",
            "the genotype of the first stage, released, baseline or unet",
            "nothing" if known is None else "one that is still searched",
        )
    genotype = Genotype(known.encoder_decoder, interaction, fusion)
    if not genotype.is_searched:
        raise UserError(
            "nothing is searched",
            "`interaction`, `fusion`",
            "search in one of them",
            "omit in both",
        )
    return genotype
