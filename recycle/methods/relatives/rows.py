"""Rows of the methods beside and after CycleGAN, for the table of methods. Imports nothing heavy."""

from recycle.config import LossWeights
from recycle.methods.row import MethodRow

_CONTRASTIVE = frozenset({"contrastive", "contrastive_identity"})
_PATCH_LIMITS = {"patches": (2.0, float("inf")), "temperature": (1e-3, float("inf")), "mirrored": (0.0, 1.0)}

RELATIVES = (
    MethodRow(
        name="cut",
        path="recycle.methods.relatives.cut:CUT",
        title="CUT (Park et al. 2020)",
        line="single frames, A to B only: each patch of a translation belongs to its own place in the source",
        ways="one-way",
        # their code: 256 patches, both terms halved, xavier
        terms=_CONTRASTIVE,
        weights=LossWeights(contrastive=0.5, contrastive_identity=0.5),
        own={"patches": 256.0, "temperature": 0.07, "mirrored": 0.0},
        limits=_PATCH_LIMITS,
        unets=False,
        init="xavier",
        generator="resnet_9blocks",
    ),
    MethodRow(
        name="fastcut",
        path="recycle.methods.relatives.cut:CUT",
        title="FastCUT (Park et al. 2020)",
        line="the same without its identity term and with mirrored frames: half the pictures of a step",
        ways="one-way",
        terms=_CONTRASTIVE,
        weights=LossWeights(contrastive=10.0),
        own={"patches": 256.0, "temperature": 0.07, "mirrored": 0.5},
        limits=_PATCH_LIMITS,
        unets=False,
        init="xavier",
        generator="resnet_9blocks",
    ),
)
