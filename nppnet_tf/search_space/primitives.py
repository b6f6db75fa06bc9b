"""The eight operations by name, and which part searches which (Sec. 3.2)."""

STD_CONV_3X3 = "std_conv_3x3"
STD_CONV_1X1 = "std_conv_1x1"
MAX_POOL_3X3 = "max_pool_3x3"
SKIP_CONNECT = "skip_connect"
DIL_CONV_3X3_2 = "dil_conv_3x3_2"
DIL_CONV_3X3_4 = "dil_conv_3x3_4"
SE_CONNECT = "se_connect"
# Spelled as in the published genotype.
POOLED_CONV = "poled_conv_x1"

NAMES = (
    STD_CONV_3X3,
    STD_CONV_1X1,
    MAX_POOL_3X3,
    SKIP_CONNECT,
    DIL_CONV_3X3_2,
    DIL_CONV_3X3_4,
    SE_CONNECT,
    POOLED_CONV,
)

# The paper searches all eight everywhere; this is the order of alpha.
PAPER = NAMES

# The release searched seven per part, in these orders of alpha.
RELEASED_ENCODER_DECODER = (
    STD_CONV_3X3,
    SE_CONNECT,
    DIL_CONV_3X3_4,
    DIL_CONV_3X3_2,
    STD_CONV_1X1,
    MAX_POOL_3X3,
    SKIP_CONNECT,
)
RELEASED_INTERACTION_FUSION = (
    STD_CONV_3X3,
    DIL_CONV_3X3_4,
    SE_CONNECT,
    MAX_POOL_3X3,
    DIL_CONV_3X3_2,
    STD_CONV_1X1,
    POOLED_CONV,
)
