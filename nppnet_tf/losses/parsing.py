"""Cross-entropy of label maps with class weights and hard-pixel mining."""

from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf

from nppnet_tf import keys
from nppnet_tf.losses import reduction

# A probability is at most 1.0 = 0x3F800000, so the upper half of its bits is
# at most 0x3F80; the rest of that bin is room for rounding above 1.
_UPPER_BINS = 0x3F80 + 1
_LOWER_BINS = 1 << 16
# Far above the least normal number, 1e-38.
_LEAST_PROBABILITY = 1e-30


def counted_pixels(label_map: tf.Tensor, has_label_map: tf.Tensor) -> tf.Tensor:
    """Marks the pixels that enter a loss.

    Args:
        label_map: Integer tensor [B, H, W] with ignore label 255.
        has_label_map: Float tensor [B], 1 or 0.

    Returns:
        Boolean tensor [B, H, W].
    """
    return (label_map != keys.IGNORE_LABEL) & (has_label_map > 0)[:, None, None]


@tf.custom_gradient
def pixel_cross_entropy(
    logits: tf.Tensor, labels: tf.Tensor
) -> tuple[tuple[tf.Tensor, tf.Tensor], Callable]:
    """Computes -log p of the true class of every pixel, and p.

    TensorFlow's `sparse_softmax_cross_entropy_with_logits` gives the same. On
    CPUs its kernel takes four times as long as that of softmax, and what it
    keeps for the gradient is as large: 16 x 128 x 96 pixels of 20 classes,
    with upsampling and gradients, take 21 ms of one core this way and 38 that
    way.

    Args:
        logits: Float32 tensor [B, H, W, C].
        labels: Int32 tensor [B, H, W], from 0 to C - 1.

    Returns:
        Float32 tensors [B, H, W]: cross-entropy and probability. The
        probability has no gradient.
    """
    probabilities = tf.nn.softmax(logits)
    probability = tf.gather(probabilities, labels, batch_dims=3)
    cross_entropy = -tf.math.log(probability)
    # A smaller probability may have lost digits, or be 0.
    rare = tf.where(probability < _LEAST_PROBABILITY)
    of_rare = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.gather_nd(labels, rare), logits=tf.gather_nd(logits, rare)
    )
    cross_entropy = tf.tensor_scatter_nd_update(cross_entropy, rare, of_rare)

    def gradient(upstream, _):
        classes = tf.one_hot(labels, logits.shape[-1])
        return (probabilities - classes) * upstream[..., None], None

    return (cross_entropy, probability), gradient


def parsing_loss(
    label_map: tf.Tensor,
    logits: tf.Tensor,
    has_label_map: tf.Tensor,
    *,
    class_weights: Sequence[float] | None = None,
    hard_pixel_threshold: float = 0.9,
    min_hard_pixels: int = 131072,
) -> tf.Tensor:
    """Returns this replica's share of the mean over the hard pixels.

    A pixel is hard if the probability p of its true class is below
    tau = max(p_(k), threshold), where p_(k) is the k-th smallest probability
    of the global batch counted from 0 and k = min(min_hard_pixels, pixels - 1).
    The loss is the plain average of w * (-log p) over the hard pixels: it is
    not divided by the class weights w. The release mines within the batch of
    one GPU; here the global batch is mined, whatever the number of replicas.

    Args:
        label_map: Integer tensor [B, H, W] with ignore label 255.
        logits: Float tensor [B, h, w, C].
        has_label_map: Float tensor [B], 1 or 0.
        class_weights: C factors, or None for ones.
        hard_pixel_threshold: Probability in [0, 1].
        min_hard_pixels: Least hard pixels of the global batch.

    Returns:
        Float32 scalar, 0 where no pixel of the global batch is hard.
    """
    counted = counted_pixels(label_map, has_label_map)
    labels = tf.where(counted, label_map, 0)
    cross_entropy, probability = pixel_cross_entropy(
        reduction.upsample(logits, tf.shape(label_map)[1:3]), labels
    )
    tau = tf.maximum(
        smallest_probability(probability, counted, min_hard_pixels),
        hard_pixel_threshold,
    )
    # Written so that a probability that is not a number counts as hard: a
    # network that diverged must show in the loss.
    hard = counted & ~(probability >= tau)
    if class_weights is not None:
        weights = _checked_weights(class_weights, logits)
        cross_entropy *= tf.gather(weights, labels)
    num_hard = reduction.global_sum(_count(hard))
    numerator = tf.reduce_sum(tf.where(hard, cross_entropy, 0.0))
    return reduction.share(numerator, num_hard)


def smallest_probability(
    probability: tf.Tensor, counted: tf.Tensor, rank: int
) -> tf.Tensor:
    """Finds one order statistic of the global batch without sorting it.

    The bits of a positive float order as the float does. A histogram of their
    upper half finds the bin of the wanted element, one of the lower half of
    that bin's elements the element itself: two passes, exact, and histograms
    of replicas just add up, while sorted lists would have to be gathered.

    Args:
        probability: Float32 tensor of any shape, values in [0, 1].
        counted: Boolean tensor of that shape, the elements to look at.
        rank: Place in ascending order from 0; the last element where the
            global batch has fewer.

    Returns:
        Float32 scalar; 0 where nothing is counted.
    """
    bits = tf.bitcast(probability, tf.int32)
    upper = tf.bitwise.right_shift(bits, 16)
    lower = tf.bitwise.bitwise_and(bits, _LOWER_BINS - 1)
    counts = _global_histogram(upper, counted, _UPPER_BINS)
    rank = tf.minimum(rank, tf.reduce_sum(counts) - 1)
    upper_bin, rank_in_bin = _locate(counts, rank)
    counts = _global_histogram(
        lower, counted & (upper == upper_bin), _LOWER_BINS
    )
    lower_bin, _ = _locate(counts, rank_in_bin)
    return tf.bitcast(upper_bin * _LOWER_BINS + lower_bin, tf.float32)


def _locate(counts: tf.Tensor, rank: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the bin that holds an element, and its rank within the bin."""
    passed = tf.cumsum(counts) <= rank
    last = tf.size(counts) - 1
    index = tf.minimum(tf.reduce_sum(tf.cast(passed, tf.int32)), last)
    return index, rank - tf.reduce_sum(tf.where(passed, counts, 0))


def _global_histogram(
    values: tf.Tensor, counted: tf.Tensor, num_bins: int
) -> tf.Tensor:
    # A value of `num_bins` falls behind the last bin and is dropped.
    inside = counted & (values >= 0)
    values = tf.where(inside, values, num_bins)
    counts = tf.raw_ops.DenseBincount(
        input=tf.reshape(values, [-1]),
        size=num_bins,
        weights=tf.zeros([0], tf.int32),
    )
    return tf.cast(reduction.global_sum(counts), tf.int32)


def _count(mask: tf.Tensor) -> tf.Tensor:
    # Counted as integers: float32 sums of ones stop growing at 2**24.
    return tf.cast(tf.math.count_nonzero(mask), tf.float32)


def _checked_weights(
    class_weights: Sequence[float], logits: tf.Tensor
) -> tf.Tensor:
    if len(class_weights) != logits.shape[-1]:
        raise ValueError(
            "`class_weights` must hold one factor per class of the logits, "
            f"{logits.shape[-1]}. Received: class_weights={class_weights}"
        )
    return tf.constant(class_weights, tf.float32)
