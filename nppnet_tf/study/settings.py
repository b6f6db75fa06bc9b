"""What a study is made of, as checked data."""

import dataclasses
import hashlib
import json

from nppnet_tf import config as configuration
from nppnet_tf.config import InputConfig
from nppnet_tf.config import LossConfig
from nppnet_tf.config import NetworkConfig
from nppnet_tf.config import ProcessConfig
from nppnet_tf.config import RetrainConfig
from nppnet_tf.config import RunConfig
from nppnet_tf.config import SearchConfig
from nppnet_tf.config import setting

# Shares of a training after which its learning rates are multiplied.
_DROPS, _DROP_FACTOR = (0.6, 0.8, 0.9), 0.4

_MOST_PEOPLE = 100_000


@dataclasses.dataclass(frozen=True)
class StudyConfig:
    """Sizes and lengths of a study; the same for every system.

    Attributes:
        seeds: Seeds of every system, counted from 0.
        samples: Random genotypes whose score in the supernet is compared with
            that of the network made of them.
        image_size: Size of every network's input, height and width in pixels.
        channels: C of Eq. 3 of the searched and random networks; baselines get
            the C and width that cost the same.
        cells: L, cells of one encoder.
        num_fusion_cells: Pose cells, and parsing cells, stacked one on the
            other.
        head_channels: Hidden channels of the heads of every network.
        batch_size: Pictures of a batch in training.
        steps: Steps of a training where all systems get equal steps. In equal
            time each gets as many as fit into the time of the searched one's.
        evaluations: Epochs of a training: after each, the network is measured
            on the selection set, and the best of them is kept.
        learning_rates: Learning rates that every system is trained with at
            the first seed; the best on the selection set is kept for all
            seeds.
        parsing_log_variance: First value of the learned weight of parsing in
            the joint loss, in searches and trainings: -log of the factor.
        search_batch_size: Pictures of a batch of each half in a search.
        search_epochs: Epochs of each of the two stages of a search.
        search_steps: Steps of an epoch of a search.
        search_warmup: Epochs of a search in which only network weights move.
        search_learning_rate: Learning rate of a supernet's weights.
        architecture_learning_rate: Learning rate of alpha and beta.
        entropy_weight: Weight of E(A), Eq. 8, which grows over the epochs
            after the warm-up.
        train_people: Drawn people to train and search on.
        selection_people: Others, by whom epochs and learning rates are chosen.
        test_people: Others again, measured once.
        picture_size: Median size of the drawn pictures, height and width.
        people_seed: Seed of the drawn people; each set has one of its own.
    """

    seeds: int = setting(5, least=1, most=1000, is_free=True)
    samples: int = setting(8, least=0, most=1000, is_free=True)
    image_size: tuple[int, int] = setting((96, 64), kind=configuration.SIZE)
    channels: int = setting(
        16,
        least=configuration.LEAST_CHANNELS,
        most=configuration.MOST_CHANNELS,
    )
    cells: int = setting(
        4, least=configuration.LEAST_CELLS, most=configuration.MOST_CELLS
    )
    num_fusion_cells: int = setting(
        1, least=1, most=configuration.MOST_FUSION_CELLS
    )
    head_channels: int = setting(
        64, least=2, most=configuration.MOST_HEAD_CHANNELS
    )
    batch_size: int = setting(16, least=1, most=configuration.MOST_BATCH)
    steps: int = setting(300, least=1, most=configuration.MANY)
    evaluations: int = setting(10, least=1, most=1000)
    learning_rates: tuple[float, ...] = setting(
        (0.002, 0.004, 0.008),
        least=0,
        most=configuration.MOST_LEARNING_RATE,
        count=3,
    )
    parsing_log_variance: float = setting(
        0.0,
        least=-configuration.MOST_LOG_VARIANCE,
        most=configuration.MOST_LOG_VARIANCE,
        is_late=True,
    )
    search_batch_size: int = setting(8, least=1, most=configuration.MOST_BATCH)
    search_epochs: int = setting(8, least=1, most=configuration.MANY)
    search_steps: int = setting(15, least=1, most=configuration.MANY)
    search_warmup: int = setting(2, least=0, most=configuration.MANY)
    search_learning_rate: float = setting(
        0.004, least=0, most=configuration.MOST_LEARNING_RATE
    )
    architecture_learning_rate: float = setting(
        0.05, least=0, most=configuration.MOST_LEARNING_RATE
    )
    entropy_weight: float = setting(
        1.0, least=0, most=configuration.MOST_LOSS_WEIGHT
    )
    train_people: int = setting(600, least=2, most=_MOST_PEOPLE)
    selection_people: int = setting(200, least=1, most=_MOST_PEOPLE)
    test_people: int = setting(400, least=1, most=_MOST_PEOPLE)
    picture_size: tuple[int, int] = setting((128, 96), kind=configuration.SIZE)
    people_seed: int = setting(100, least=0, most=configuration.MANY)

    def record(self) -> dict[str, object]:
        """Returns what makes another study of it, as JSON."""
        return configuration.record_of(self)

    def digest(self) -> str:
        """Returns a name of the settings: results of two do not mix."""
        text = json.dumps(self.record(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def network(self) -> NetworkConfig:
        """Returns the size of the searched networks."""
        return NetworkConfig(
            channels=self.channels,
            cells=self.cells,
            num_fusion_cells=self.num_fusion_cells,
            head_channels=self.head_channels,
        )

    def inputs(self, seed: int, batch_size: int | None = None) -> InputConfig:
        """Returns how records become batches, for one seed."""
        return InputConfig(
            image_size=self.image_size,
            batch_size=batch_size or self.batch_size,
            scale_range=(0.9, 1.15),
            rotation_degrees=10.0,
            # Wide in proportion: who sees so little finds them sooner.
            heatmap_sigma=5.0,
            seed=seed,
        )

    def loss(self, batch_size: int | None = None) -> LossConfig:
        """Returns the constants of the loss; few pixels always count."""
        height, width = self.image_size
        pixels = (batch_size or self.batch_size) * height * width
        return LossConfig(
            min_hard_pixels=max(pixels // 12, 1),
            initial_parsing_log_variance=self.parsing_log_variance,
        )

    def training(self) -> RetrainConfig:
        """Returns the schedule of a training, with the first of its rates."""
        return RetrainConfig(
            epochs=self.evaluations,
            learning_rate=self.learning_rates[0],
            drop_epochs=tuple(
                sorted({round(s * self.evaluations) for s in _DROPS} - {0})
            ),
            drop_factor=_DROP_FACTOR,
        )

    def search(self, seed: int) -> RunConfig:
        """Returns a stage of the paper's search."""
        schedule = SearchConfig(
            epochs=self.search_epochs,
            warmup_epochs=min(self.search_warmup, self.search_epochs - 1),
            learning_rate=self.search_learning_rate,
            architecture_learning_rate=self.architecture_learning_rate,
            drop_epochs=(),
            entropy_weight=self.entropy_weight,
            entropy_start_epoch=self.search_warmup,
            entropy_ramp_epochs=max(
                self.search_epochs - self.search_warmup - 1, 0
            ),
        )
        process = ProcessConfig(
            steps_per_epoch=self.search_steps, picture_every=0
        )
        return RunConfig(
            schedule,
            self.network(),
            self.inputs(seed, self.search_batch_size),
            self.loss(self.search_batch_size),
            process,
        )
