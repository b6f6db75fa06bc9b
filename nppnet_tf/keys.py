"""What batches, predictions and losses are called, and hold.

The rule of names: a key that one room writes and another reads stands here. A
key that belongs to one form of files or to one interface stands with the module
that defines the form: the features of an Example in `data.records.example`, the
inputs and outputs of signatures in `inference.serving_graph`. Numbers that
rooms agree on stand in `config` (sides, strides, limits), and in
`search_space.topology` where they follow from the search space.
"""

# One batch, as `data.samples.batches` makes it and `training` consumes it. B
# samples, [H, W] the input size, [h, w] = [H, W] / 4, K keypoints.
IMAGE = "image"  # float32 [B, H, W, 3], ImageNet-normalized RGB
LABEL_MAP = "label_map"  # int32 [B, H, W], ignore label 255
BOUNDARY_MAP = "boundary_map"  # int32 [B, H, W], 0, 1 or ignore label 255
HEATMAPS = "heatmaps"  # float32 [B, h, w, K]
AUXILIARY_HEATMAPS = "auxiliary_heatmaps"  # float32 [B, h, w, K], wider sigma
KEYPOINTS_XY = "keypoints_xy"  # float32 [B, K, 2], input pixels
VISIBILITY = "visibility"  # int32 [B, K]: see data.record
HAS_LABEL_MAP = "has_label_map"  # float32 [B], 1 or 0
HAS_KEYPOINTS = "has_keypoints"  # float32 [B], 1 or 0

# Of pixels that count nowhere, in label and boundary maps of a batch. A data
# set's own ignore label becomes this one where batches are made.
IGNORE_LABEL = 255

# One element of the search dataset: two batches under these names (Eq. 7).
WEIGHT_SPLIT = "weight_split"
ARCHITECTURE_SPLIT = "architecture_split"

# Predictions of NPPNet: each a tuple over stages (initial, refined).
# HEATMAPS and AUXILIARY_HEATMAPS as above, and
PARSING_LOGITS = "parsing_logits"  # float32 [B, h, w, classes]
BOUNDARY_LOGITS = "boundary_logits"  # float32 [B, h, w, 2]

# Loss terms.
TOTAL_LOSS = "loss"
POSE_LOSS = "pose_loss"
PARSING_LOSS = "parsing_loss"
BOUNDARY_LOSS = "boundary_loss"
AUXILIARY_POSE_LOSS = "auxiliary_pose_loss"

# Branches, everywhere in this order.
POSE = "pose"
PARSING = "parsing"
BRANCHES = (POSE, PARSING)
