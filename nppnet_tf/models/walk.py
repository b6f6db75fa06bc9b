"""The order in which NPPNet computes, whatever its features are.

`NPPNet.call` walks over tensors, `form.description` over what it writes down
of them. Every function takes what computes a step as functions.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from nppnet_tf import keys
from nppnet_tf.search_space import topology

Feature = TypeVar("Feature")
States = tuple[Feature, Feature]

# What the heads of a stage predict, in their order: the branch whose feature
# each sees, and whether that is the main one, else the auxiliary one.
PREDICTIONS = {
    keys.HEATMAPS: (keys.POSE, True),
    keys.AUXILIARY_HEATMAPS: (keys.POSE, False),
    keys.PARSING_LOGITS: (keys.PARSING, True),
    keys.BOUNDARY_LOGITS: (keys.PARSING, False),
}


def pyramids(
    stems: Mapping[str, States],
    encode: Callable[[str, int, States], States],
    decode: Callable[[str, int, Feature, Feature], Feature],
    exchange: Callable[[int, Mapping[str, Feature]], Mapping[str, Feature]],
) -> dict[str, list[Feature]]:
    """Walks both branches level by level, with the exchange in between.

    Args:
        stems: The first two states of each branch.
        encode: Takes branch, level and the last two states; returns those
            behind the level, of which the second is its feature.
        decode: Takes branch, level, the feature of the level before and that
            of the encoder at the same size; returns the level's feature.
        exchange: Takes a level and its feature in each branch; returns those
            that stand in their places (Eq. 4, 5), none without an interaction.

    Returns:
        The feature of every level (Eq. 3), by branch.
    """
    states = dict(stems)
    found: dict[str, list[Feature]] = {branch: [] for branch in states}
    for level in range(topology.NUM_LEVELS):
        for branch, pyramid in found.items():
            if level < topology.NUM_ENCODER_LEVELS:
                states[branch] = encode(branch, level, states[branch])
                pyramid.append(states[branch][1])
            else:
                skip = pyramid[topology.NUM_LEVELS - 1 - level]
                pyramid.append(decode(branch, level, pyramid[-1], skip))
        features = {branch: pyramid[-1] for branch, pyramid in found.items()}
        for branch, feature in exchange(level, features).items():
            # Where the next cells find it.
            found[branch][-1] = feature
            states[branch] = (states[branch][0], feature)
    return found


def fused(
    rounds: Iterable[Mapping[str, Any]],
    main: Mapping[str, Feature],
    auxiliary: Mapping[str, Feature],
    fuse: Callable[[str, Any, list[Feature]], tuple[Feature, Feature]],
) -> tuple[Mapping[str, Feature], Mapping[str, Feature]]:
    """Stacks pose and parsing cell; both see the other as it was.

    Args:
        rounds: The fusion cell of each branch, round by round.
        main: Main feature of each branch.
        auxiliary: Auxiliary feature of each branch.
        fuse: Takes branch, fusion cell and its three inputs; returns the
            branch's auxiliary and main feature.

    Returns:
        Main and auxiliary features behind the last round.
    """
    for cells in rounds:
        auxiliaries, mains = {}, {}
        for branch, cell in cells.items():
            inputs = [auxiliary[branch], main[keys.POSE], main[keys.PARSING]]
            auxiliaries[branch], mains[branch] = fuse(branch, cell, inputs)
        main, auxiliary = mains, auxiliaries
    return main, auxiliary


def predicted(
    heads: Mapping[str, Any],
    main: Mapping[str, Feature],
    auxiliary: Mapping[str, Feature],
    predict: Callable[[Any, Feature], Feature],
) -> dict[str, Feature]:
    """Returns what the heads of a stage predict, by the keys of `PREDICTIONS`.

    Args:
        heads: Head of each prediction.
        main: Main feature of each branch.
        auxiliary: Auxiliary feature of each branch.
        predict: Takes a head and the feature that it sees.
    """
    return {
        key: predict(heads[key], (main if is_main else auxiliary)[branch])
        for key, (branch, is_main) in PREDICTIONS.items()
    }
