"""NPPNet: the only network class, for search, retraining and every ablation."""

import dataclasses

import keras
import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.config import NetworkConfig
from nppnet_tf.layers import heads
from nppnet_tf.layers import interaction as interactions
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.layers.fusion_cell import FusionCell
from nppnet_tf.layers.heads import HighLevelFeatures
from nppnet_tf.layers.heads import PredictionHead
from nppnet_tf.layers.interaction import Interaction
from nppnet_tf.layers.relaxations import table as relaxations
from nppnet_tf.models import keras_settings
from nppnet_tf.models import walk
from nppnet_tf.models.baseline import BaselineEncoderDecoder
from nppnet_tf.models.encoder_decoder import EncoderDecoder
from nppnet_tf.models.searched_network import SearchedNetwork
from nppnet_tf.models.unet import UNetEncoderDecoder
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import parts
from nppnet_tf.search_space import published
from nppnet_tf.search_space import relaxation as contracts
from nppnet_tf.search_space.genotype import Genotype
from nppnet_tf.search_space.space import PAPER
from nppnet_tf.search_space.space import SearchSpace

# Hidden width of the head of boundaries, whatever C; as in the release.
BOUNDARY_HIDDEN = 6

_BASELINES = {
    genotypes.BASELINE: BaselineEncoderDecoder,
    genotypes.UNET: UNetEncoderDecoder,
}


@keras.saving.register_keras_serializable(package="nppnet_tf")
class NPPNet(SearchedNetwork, keras.Model):
    """Parses a person into parts and finds the joints at the same time.

    Two branches, pose and parsing, walk a seven-level pyramid side by side
    and exchange features at every level (Eq. 4, 5). Each branch makes a main
    and an auxiliary high-level feature (Eq. 6) with an initial prediction;
    pose and parsing cells fuse them, `num_fusion_cells` times, and the refined
    predictions follow. What fills the parts is the genotype's: a part in the
    state "search" makes a supernet, "omit" leaves the part out.

    Args:
        genotype: What fills each part.
        config: Sizes; those of the paper where None.
        space: What searched parts choose from.
        relaxation: Name of what makes weights of alpha and beta in searched
            parts, of `search_space.relaxation`.
        **kwargs: What `keras.Model` takes. "mixed_bfloat16" as `dtype` makes
            features and convolutions bfloat16; variables, statistics and
            predictions stay float32.

    Raises:
        UserError: If a size of `config` fits no network, or there is no such
            relaxation or no network of such a `dtype`.

    Call arguments:
        inputs: Normalized picture [batch, height, width, 3]; sides are
            multiples of 32.
        training: Whether to normalize with the batch.

    Returns:
        For each of `keys.HEATMAPS`, `keys.AUXILIARY_HEATMAPS`,
        `keys.PARSING_LOGITS` and `keys.BOUNDARY_LOGITS` a tuple with one
        prediction per stage at a quarter of the input's size: the initial one
        and, unless the fusion is omitted, the refined one.

    Example:
        >>> from nppnet_tf.search_space import published
        >>> config = NetworkConfig(channels=8, cells=4)
        >>> network = NPPNet(published.released(), config)
        >>> predictions = network(tf.zeros([1, 32, 32, 3]))
        >>> [len(predictions[keys.HEATMAPS]), network.is_supernet]
        [2, False]
    """

    def __init__(
        self,
        genotype: Genotype,
        config: NetworkConfig | None = None,
        space: SearchSpace = PAPER,
        relaxation: str = contracts.SOFTMAX,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        keras_settings.require_usable(self.dtype_policy)
        config = config or NetworkConfig()
        genotype.check_size(config, space)
        self.genotype = genotype
        self.config = config
        self.space = space
        self.relaxation = contracts.named(relaxation).name
        with keras_settings.layers_of(self.dtype_policy):
            self._make_layers()
        self._build_layers()

    def _make_layers(self) -> None:
        self.branches = [self._branch(branch) for branch in keys.BRANCHES]
        self.interaction = self._interaction()
        self.high_level = [
            HighLevelFeatures(
                self.config.channels,
                self.config.high_level_inputs,
                name=f"{branch}_high_level",
            )
            for branch in keys.BRANCHES
        ]
        # Flat lists, since Keras tracks those: stage by stage, round by round.
        self.heads = [
            head
            for stage in range(self.num_stages)
            for head in self._stage_heads(stage)
        ]
        self.fusion = [
            self._fusion_cell(branch, number)
            for number in range(self._num_rounds)
            for branch in keys.BRANCHES
        ]
        self._parameters = self._architecture_parameters()

    @classmethod
    def from_preset(cls, name: str, **sizes: int) -> "NPPNet":
        """Makes a published network with fresh weights.

        Args:
            name: Name of the preset, one of `search_space.published.PRESETS`:
                "released".
            **sizes: Fields of `NetworkConfig`: any width that is a multiple of
                4 from 8 on, depth from 4 on, classes and joints.

        Raises:
            UserError: If there is no such preset or no network of this size.
        """
        return cls(*published.preset(name, **sizes))

    @property
    def num_stages(self) -> int:
        """2 with a refined prediction, 1 without."""
        return 1 if self.genotype.fusion == genotypes.OMIT else 2

    @property
    def _num_rounds(self) -> int:
        return self.config.num_fusion_cells if self.num_stages > 1 else 0

    @property
    def is_supernet(self) -> bool:
        """Whether any part is searched."""
        return self.genotype.is_searched

    @property
    def architecture(self) -> dict[str, ArchitectureParameters]:
        """Parameters of every searched part, by "<branch>/<part>"."""
        return {
            part.name: parameters
            for part, parameters in zip(
                self.searched_parts, self._parameters, strict=True
            )
        }

    @property
    def searched_parts(self) -> tuple[parts.Part, ...]:
        """The parts that have alpha and beta, branch by branch."""
        return genotypes.searched_parts(self.genotype)

    def prediction_weights(self, branch: str) -> list:
        """Weights whose shapes are those of a branch's classes or joints.

        Args:
            branch: Name of the branch, one of `keys.BRANCHES`.
        """
        named = {
            keys.POSE: (keys.HEATMAPS, keys.AUXILIARY_HEATMAPS),
            keys.PARSING: (keys.PARSING_LOGITS,),
        }[branch]
        return [
            weight
            for stage in range(self.num_stages)
            for prediction, head in self.heads_of(stage).items()
            if prediction in named
            for weight in head.prediction.variables
        ]

    def heads_of(self, stage: int) -> dict[str, PredictionHead]:
        """Returns the heads of a stage by what they predict.

        Args:
            stage: 0 for the initial prediction, 1 for the refined one.
        """
        count = len(walk.PREDICTIONS)
        of_stage = self.heads[count * stage : count * (stage + 1)]
        return dict(zip(walk.PREDICTIONS, of_stage, strict=True))

    @property
    def fusion_rounds(self) -> list[dict[str, FusionCell]]:
        """Pose and parsing cell of every round, by branch."""
        count = len(keys.BRANCHES)
        return [
            dict(zip(keys.BRANCHES, self.fusion[i : i + count], strict=True))
            for i in range(0, len(self.fusion), count)
        ]

    def _branch(self, branch: str) -> keras.layers.Layer:
        gene = self.genotype.encoder_decoder
        name = f"{branch}_branch"
        if gene in genotypes.BASELINES:
            return _BASELINES[gene](
                self.config.channels, self.config.baseline_width, name=name
            )
        return EncoderDecoder(
            self.config.channels,
            self.config.cells,
            None if gene == genotypes.SEARCH else getattr(gene, branch),
            self.space,
            name=name,
        )

    def _interaction(self) -> Interaction | None:
        gene = self.genotype.interaction
        if gene == genotypes.OMIT:
            return None
        return Interaction(
            self.config.channels,
            None if gene == genotypes.SEARCH else gene,
            self.space,
            name="interaction",
        )

    def _fusion_cell(self, branch: str, number: int) -> FusionCell:
        gene = self.genotype.fusion
        return FusionCell(
            self.config.channels,
            None if gene == genotypes.SEARCH else getattr(gene, branch),
            self.space,
            name=f"{branch}_cell_{number}",
        )

    def _stage_heads(self, stage: int) -> list[PredictionHead]:
        """Heads in the order of `walk.PREDICTIONS`."""
        joints, hidden = self.config.num_keypoints, self.config.head_channels
        return [
            PredictionHead(hidden, joints, name=f"pose_head_{stage}"),
            PredictionHead(
                hidden // 2,
                joints,
                kernel_size=3,
                name=f"pose_auxiliary_head_{stage}",
            ),
            PredictionHead(
                hidden,
                self.config.num_classes,
                name=f"parsing_head_{stage}",
            ),
            PredictionHead(
                BOUNDARY_HIDDEN,
                2,
                kernel_size=3,
                use_bias=False,
                name=f"boundary_head_{stage}",
            ),
        ]

    def _architecture_parameters(self) -> list[ArchitectureParameters]:
        return [
            ArchitectureParameters(
                part.edges,
                len(self.space.primitives),
                relaxations.make(self.relaxation),
                name=f"{part.branch}_{part.kind}",
            )
            for part in self.searched_parts
        ]

    def _build_layers(self) -> None:
        """Builds every layer by hand.

        Keras would trace the whole network to do the same, and again for each
        level of nesting.
        """
        channels = self.config.channels
        for branch in self.branches:
            branch.build((None, None, None, 3))
        if self.interaction is not None:
            self.interaction.build()
        for features in self.high_level:
            features.build()
        main = (None, None, None, heads.MAIN_WIDTH * channels)
        auxiliary = (None, None, None, heads.AUXILIARY_WIDTH * channels)
        for number, head in enumerate(self.heads):
            head.build(auxiliary if number % 2 else main)
        for fusion_cell in self.fusion:
            fusion_cell.build([auxiliary, main, main])
        for parameters in self._parameters:
            parameters.build()
        self.built = True

    def call(self, inputs, training=None):
        mixtures = self._mixtures(training)
        pyramids = self._pyramids(inputs, mixtures, training)
        main, auxiliary = {}, {}
        for branch, layer in zip(keys.BRANCHES, self.high_level, strict=True):
            main[branch], auxiliary[branch] = layer(
                pyramids[branch], training=training
            )
        stages = [self._predict(0, main, auxiliary, training)]
        if self.num_stages > 1:
            main, auxiliary = self._fuse(main, auxiliary, mixtures, training)
            stages.append(self._predict(1, main, auxiliary, training))
        return {key: tuple(stage[key] for stage in stages) for key in stages[0]}

    def _pyramids(self, inputs, mixtures, training) -> dict[str, list]:
        branches = dict(zip(keys.BRANCHES, self.branches, strict=True))
        exchanged = _of_kind(mixtures, parts.INTERACTION)
        pending = interactions.PendingTerms()

        def encode(name, level, states):
            mixture = _of_branch(mixtures, name)
            return branches[name].encode(level, states, mixture, training)

        def decode(name, level, low, skip):
            mixture = _of_branch(mixtures, name)
            return branches[name].decode(level, low, skip, mixture, training)

        def exchange(level, features):
            if self.interaction is None:
                return {}
            return self.interaction(
                features,
                level=level,
                pending=pending,
                mixtures=exchanged,
                training=training,
            )

        stems = {
            name: branch.stem(inputs, training=training)
            for name, branch in branches.items()
        }
        return walk.pyramids(stems, encode, decode, exchange)

    def _fuse(self, main, auxiliary, mixtures, training):
        mixtures = _of_kind(mixtures, parts.FUSION)

        def fuse(branch, cell, inputs):
            mixture = None if mixtures is None else mixtures[branch]
            return cell(inputs, mixtures=mixture, training=training)

        return walk.fused(self.fusion_rounds, main, auxiliary, fuse)

    def _predict(self, stage, main, auxiliary, training) -> dict:
        dtype = self.variable_dtype

        def predict(head, feature):
            # Losses, metrics and answers read no narrower type.
            return tf.cast(head(feature, training=training), dtype)

        return walk.predicted(self.heads_of(stage), main, auxiliary, predict)

    def _mixtures(self, training) -> dict[tuple[str, str], list]:
        """Mixtures of every searched part, once per pass, by fan-out."""
        architecture = self.architecture
        return {
            (part.branch, part.kind): architecture[part.name].mixtures(
                part.groups, training
            )
            for part in self.searched_parts
        }

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "genotype": self.genotype.to_json(),
            "config": dataclasses.asdict(self.config),
            "space": self.space.get_config(),
            "relaxation": self.relaxation,
            "dtype": self.dtype_policy.name,
        }

    @classmethod
    def from_config(cls, config):
        fields = {**config["config"]}
        levels = tuple(fields.pop("high_level_inputs"))
        return cls(
            Genotype.from_json(config["genotype"]),
            NetworkConfig(**fields, high_level_inputs=levels),
            SearchSpace(**config["space"]),
            # Absent in configurations of before there were several.
            config.get("relaxation", contracts.SOFTMAX),
            name=config["name"],
            dtype=config.get("dtype"),
        )


def _of_branch(mixtures, branch: str) -> dict[str, list] | None:
    """Mixtures of a branch's cells by kind, or None where none is searched."""
    found = {
        kind: mixtures[branch, kind]
        for kind in parts.CELL_KINDS
        if (branch, kind) in mixtures
    }
    return found or None


def _of_kind(mixtures, kind: str) -> dict[str, list] | None:
    """Mixtures of a kind by branch, or None where it is not searched."""
    found = {
        branch: mixtures[branch, kind]
        for branch in keys.BRANCHES
        if (branch, kind) in mixtures
    }
    return found or None
