"""A stand-in for NPPNet: the same interface on a handful of variables."""

import keras
import numpy as np
import tensorflow as tf

from nppnet_tf import config as configuration
from nppnet_tf import keys
from nppnet_tf.layers.architecture import ArchitectureParameters
from nppnet_tf.layers.normalization import BatchNormalization
from nppnet_tf.layers.relaxations import table as relaxations
from nppnet_tf.losses.joint import JointLoss
from nppnet_tf.models import keras_settings
from nppnet_tf.search_space import genotype as genotypes
from nppnet_tf.search_space import relaxation as contracts
from nppnet_tf.search_space import space as spaces
from nppnet_tf.training.retrain import RetrainModel
from nppnet_tf.training.search import SearchModel

IMAGE_SIZE = (16, 16)
NUM_CLASSES = 3
NUM_KEYPOINTS = 2
CHANNELS = 4
SUPERNET = genotypes.Genotype(
    genotypes.BASELINE, genotypes.SEARCH, genotypes.SEARCH
)
# Half of its parts: for what needs no interaction and traces much.
FUSION = genotypes.Genotype(
    genotypes.BASELINE, genotypes.OMIT, genotypes.SEARCH
)
DERIVED = genotypes.Genotype(genotypes.BASELINE)
CONFIG = configuration.NetworkConfig(
    channels=CHANNELS, num_classes=NUM_CLASSES, num_keypoints=NUM_KEYPOINTS
)


def _parameters(part, space, relaxation):
    parameters = ArchitectureParameters(
        part.edges,
        len(space.primitives),
        relaxations.make(relaxation),
        name=f"{part.branch}_{part.kind}",
    )
    parameters.build()
    # Equal rows would leave beta without a gradient but rounding.
    size = parameters.alpha.shape
    random = np.random.default_rng(len(part.edges))
    parameters.alpha.assign(random.normal(scale=0.05, size=size))
    return parameters


class TinyNetwork(keras.Model):
    """One convolution, mixed by alpha and beta with its input; four heads."""

    def __init__(
        self,
        genotype=SUPERNET,
        config=CONFIG,
        space=spaces.PAPER,
        relaxation=contracts.SOFTMAX,
        dtype=None,
    ):
        super().__init__(name="tiny_network", dtype=dtype)
        self.genotype = genotype
        self.config = config
        self.space = space
        self.relaxation = relaxation
        self.num_stages = 1
        with keras_settings.layers_of(self.dtype_policy):
            self._make_layers()
        self.stem.build((None, None, None, 3))
        self.norm.build((None, None, None, CHANNELS))
        for head in self.heads.values():
            head.build((None, None, None, CHANNELS))
        self.built = True

    def _make_layers(self):
        self.architecture = {
            part.name: _parameters(part, self.space, self.relaxation)
            for part in genotypes.searched_parts(self.genotype)
        }
        self.stem = keras.layers.Conv2D(
            CHANNELS,
            3,
            4,
            padding="same",
            use_bias=False,
            name="stem",
            kernel_initializer=keras.initializers.GlorotUniform(seed=1),
        )
        self.norm = BatchNormalization(name="norm")
        widths = {
            keys.HEATMAPS: self.config.num_keypoints,
            keys.AUXILIARY_HEATMAPS: self.config.num_keypoints,
            keys.PARSING_LOGITS: self.config.num_classes,
            keys.BOUNDARY_LOGITS: 2,
        }
        self.heads = {
            name: keras.layers.Conv2D(
                width,
                1,
                name=name,
                kernel_initializer=keras.initializers.GlorotUniform(seed=2),
            )
            for name, width in widths.items()
        }

    @property
    def is_supernet(self):
        return self.genotype.is_searched

    @property
    def architecture_weights(self):
        return [
            weight
            for parameters in self.architecture.values()
            for weight in (parameters.alpha, parameters.beta)
        ]

    @property
    def network_weights(self):
        known = {id(weight) for weight in self.architecture_weights}
        return [w for w in self.trainable_variables if id(w) not in known]

    def prediction_weights(self, branch):
        outputs = {
            keys.POSE: (keys.HEATMAPS, keys.AUXILIARY_HEATMAPS),
            keys.PARSING: (keys.PARSING_LOGITS,),
        }[branch]
        return [v for name in outputs for v in self.heads[name].variables]

    def entropy(self):
        entropies = [p.edge_entropies() for p in self.architecture.values()]
        return tf.reduce_mean(tf.concat(entropies, 0))

    def call(self, image, training=None):
        features = self.norm(self.stem(image), training=training)
        for parameters in self.architecture.values():
            shares = parameters.mixture(training).shares
            mixture = tf.reduce_sum(shares, [1, 2]) / tf.reduce_sum(shares)
            mixture = tf.cast(mixture, features.dtype)
            features = mixture[0] * features + mixture[1] * tf.nn.relu(features)
        return {
            name: (tf.cast(head(features), self.variable_dtype),)
            for name, head in self.heads.items()
        }


def joint_loss():
    return JointLoss(1, configuration.LossConfig(min_hard_pixels=100))


def search_model(optimizers=None, genotype=SUPERNET, **settings):
    """A SearchModel whose architecture moves from the first epoch."""
    config = {
        "warmup_epochs": 0,
        "learning_rate": 1e-2,
        "architecture_learning_rate": 1e-2,
        **settings,
    }
    return SearchModel(
        TinyNetwork(
            genotype, relaxation=config.get("relaxation", contracts.SOFTMAX)
        ),
        joint_loss(),
        configuration.SearchConfig(**config),
        optimizers,
    )


def retrain_model(metrics=(), optimizers=None, **settings):
    return RetrainModel(
        TinyNetwork(DERIVED),
        joint_loss(),
        configuration.RetrainConfig(**settings),
        metrics,
        optimizers,
    )


def values(variables):
    """Copies of the values of variables."""
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


def batch(seed, size=4, image_size=IMAGE_SIZE):
    """A batch of noise with every key of the input pipeline."""
    random = np.random.default_rng(seed)
    height, width = image_size
    small = (size, height // 4, width // 4, NUM_KEYPOINTS)
    heatmaps = random.uniform(size=small)
    labels = random.integers(0, NUM_CLASSES, (size, height, width))
    boundary = random.integers(0, 2, (size, height, width))
    image = random.normal(size=(size, height, width, 3))
    points = random.uniform(0, height, (size, NUM_KEYPOINTS, 2))
    return {
        keys.IMAGE: image.astype(np.float32),
        keys.LABEL_MAP: labels.astype(np.int32),
        keys.BOUNDARY_MAP: boundary.astype(np.int32),
        keys.HEATMAPS: heatmaps.astype(np.float32),
        keys.AUXILIARY_HEATMAPS: heatmaps.astype(np.float32) ** 0.5,
        keys.KEYPOINTS_XY: points.astype(np.float32),
        keys.VISIBILITY: np.full((size, NUM_KEYPOINTS), 2, np.int32),
        keys.HAS_LABEL_MAP: np.ones(size, np.float32),
        keys.HAS_KEYPOINTS: np.ones(size, np.float32),
    }


def search_dataset(steps, epoch=0, size=4):
    """`steps` pairs of batches, a function of the epoch and the step."""
    return _dataset(
        [
            {
                keys.WEIGHT_SPLIT: batch((epoch, step, 0), size),
                keys.ARCHITECTURE_SPLIT: batch((epoch, step, 1), size),
            }
            for step in range(steps)
        ]
    )


def dataset(steps, epoch=0, size=4):
    """`steps` batches, a function of the epoch and the step."""
    return _dataset([batch((epoch, step), size) for step in range(steps)])


def _dataset(elements):
    stacked = tf.nest.map_structure(lambda *leaves: np.stack(leaves), *elements)
    return tf.data.Dataset.from_tensor_slices(stacked)
