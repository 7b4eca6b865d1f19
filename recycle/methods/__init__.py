"""The one table of methods: a row each, by the name that `--method` takes.

Imports nothing heavy, so that a command line built from it answers `--help` at once.
"""

from recycle.config import LossWeights
from recycle.methods.installed import installed
from recycle.methods.relatives.rows import RELATIVES
from recycle.methods.row import MethodRow

_OWN = {
    row.name: row
    for row in (
        MethodRow(
            name="equivariant",
            path="recycle.methods.equivariant:Equivariant",
            title="equivariant CycleGAN (ours)",
            line="turns and bends with its source: everything stays in its place, without grain",
            # docs/measured.md says how these were found
            terms=frozenset({"detail"}),
            weights=LossWeights(adversarial=1.0, detail=0.3, cycle=10.0, mirror=2.0, flow=8.0),
            options=frozenset({"cycle_direction", "adversarial_end", "instance_noise"}),
            generator="resnet_9blocks",
            skips=True,
            adversarial_end=0.3,
            instance_noise=0.2,
            pool_size=50,
            tuned={"tiny": {"learning_rate": 1e-3}},
        ),
        MethodRow(
            name="recyclegan",
            path="recycle.methods.recyclegan:RecycleGAN",
            title="Recycle-GAN (Bansal et al. 2018)",
            line="videos: predicts the next frame in the other domain and comes back",
            # their scripts: no cycle, no identity, no pool, 6 blocks
            terms=frozenset({"recurrent", "recycle", "predictor_adversarial"}),
            weights=LossWeights(recurrent=10.0, recycle=10.0),
            options=frozenset({"window", "predictor", "predictor_filters"}),
            generator="resnet_6blocks",
        ),
        MethodRow(
            name="cyclegan",
            path="recycle.methods.cyclegan:CycleGAN",
            title="CycleGAN (Zhu et al. 2017)",
            line="single frames: there and back gives the frame again",
            # their defaults: identity 0.5 of the cycle weight, pool 50, 9 blocks at 256 px
            weights=LossWeights(cycle=10.0, identity=5.0),
            options=frozenset({"cycle_direction", "adversarial_end", "instance_noise"}),
            generator="resnet_9blocks",
            pool_size=50,
        ),
        MethodRow(
            name="pix2pix",
            path="recycle.methods.pix2pix:Pix2Pix",
            title="pix2pix (Isola et al. 2017)",
            line="domains whose frames belong together, A to B only: looks like its pair",
            ways="one-way",
            # section 3: U-Net with dropout as its noise, BatchNorm, the loss of eq. 1, L1 100
            terms=frozenset({"l1"}),
            weights=LossWeights(l1=100.0),
            generator="unet",
            adversarial_loss="vanilla",
            norm="batch",
            dropout=True,
        ),
        MethodRow(
            name="cartoongan",
            path="recycle.methods.cartoongan:CartoonGAN",
            title="CartoonGAN (Chen et al. 2018)",
            line="photos to cartoons, A to B only: keeps the content and has sharp edges",
            ways="one-way",
            # section 3: content 10, 8 blocks, 10 of 200 epochs of content alone
            terms=frozenset({"content", "edge"}),
            weights=LossWeights(content=10.0, edge=1.0),
            options=frozenset({"initial_steps"}),
            generator="resnet_8blocks",
            adversarial_loss="vanilla",
            initial_part=0.05,
        ),
        MethodRow(
            name="syntheticflow",
            path="recycle.methods.syntheticflow:SyntheticFlow",
            title="unsupervised Recycle-GAN by synthetic flow (Wang et al. 2022)",
            line="single frames, moved by drawn flow: translates a moved frame into the moved translation",
            # video to video: both unsupervised terms 10, content 1, no plain cycle term
            terms=frozenset({"unsupervised_spatial", "unsupervised_recycle", "content"}),
            weights=LossWeights(unsupervised_spatial=10.0, unsupervised_recycle=10.0, content=1.0),
            options=frozenset({"adversarial_end", "instance_noise"}),
            generator="resnet_6blocks",
        ),
        *RELATIVES,
    )
}

_INSTALLED, LEFT_OUT = installed(_OWN)
"""LEFT_OUT: a line for each method of an installed package that cannot be taken."""

METHODS: dict[str, MethodRow] = _OWN | _INSTALLED

DEFAULT = "equivariant"
"""What is trained where no method is named: what got furthest where the right answer is known (docs/results.md)."""
