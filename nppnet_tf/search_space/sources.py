"""Where the ideas of a search come from, and which failure each answers."""

from typing import NamedTuple


class Source(NamedTuple):
    """A paper.

    Attributes:
        title: Name by which people know it.
        link: Where it can be read.
        place: Equation, section or algorithm that is meant.
        answers: Failure of a search that it answers, in a few words.
    """

    title: str
    link: str
    place: str
    answers: str


NPPNET = Source(
    "NPPNet",
    "https://openaccess.thecvf.com/content/ICCV2021/html/Zeng_Neural_"
    "Architecture_Search_for_Joint_Human_Parsing_and_Pose_Estimation_"
    "ICCV_2021_paper.html",
    "Eq. 1, 2, 7, 8",
    "a search that does not decide (entropy) and takes too much memory (k)",
)
DARTS = Source(
    "DARTS",
    "https://arxiv.org/abs/1806.09055",
    "Eq. 2, 5 to 7",
    "choosing among discrete operations takes thousands of trainings",
)
PC_DARTS = Source(
    "PC-DARTS",
    "https://arxiv.org/abs/1907.05737",
    "Sec. 3.2, 3.3",
    "a supernet of all channels takes too much memory",
)
GDAS = Source(
    "GDAS",
    "https://arxiv.org/abs/1910.04465",
    "Eq. 3 to 6",
    "a mixture of all operations is trained, one operation is kept",
)
SNAS = Source(
    "SNAS",
    "https://arxiv.org/abs/1812.09926",
    "Eq. 4",
    "the gap between the mixture and what is kept, without a biased gradient",
)
REINMAX = Source(
    "ReinMax",
    "https://arxiv.org/abs/2304.08612",
    "Algorithm 1",
    "the gradient of hard samples is biased",
)
DRNAS = Source(
    "DrNAS",
    "https://arxiv.org/abs/2006.10355",
    "Eq. 2 to 4",
    "an early lead decides: a search that does not explore",
)
SDARTS = Source(
    "SDARTS-RS",
    "https://arxiv.org/abs/2002.05283",
    "Eq. 4, Algorithm 1",
    "a sharp minimum: accuracy falls when the mixture is made discrete",
)
BETA_DARTS = Source(
    "beta-DARTS",
    "https://arxiv.org/abs/2203.01665",
    "Eq. 12",
    "alpha grows apart unevenly, and skip connections win",
)
DARTS_PT = Source(
    "DARTS-PT",
    "https://arxiv.org/abs/2108.04392",
    "Algorithm 1",
    "the size of alpha says little about what an operation is worth",
)
DARTS_PLUS = Source(
    "DARTS+",
    "https://arxiv.org/abs/1909.06035",
    "Sec. 3.3, criteria 1 and 2",
    "a search that goes on too long collapses to skip connections",
)
OLES = Source(
    "OLES",
    "https://openreview.net/forum?id=yAOwkf4FyL",
    "Sec. 3.4",
    "operations overfit the half that weights learn from, so skips win",
)
RANDOM = Source(
    "Random search",
    "https://arxiv.org/abs/1902.07638",
    "Sec. 4",
    "nobody knows whether the search beats chance",
)
