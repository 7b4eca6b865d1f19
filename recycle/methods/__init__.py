"""The one table of methods, by the name that `--method` takes."""

from recycle.methods.base import Method
from recycle.methods.cartoongan import CartoonGAN
from recycle.methods.cyclegan import CycleGAN
from recycle.methods.pix2pix import Pix2Pix
from recycle.methods.recyclegan import RecycleGAN
from recycle.methods.syntheticflow import SyntheticFlow

METHODS: dict[str, type[Method]] = {
    "recyclegan": RecycleGAN,
    "cyclegan": CycleGAN,
    "pix2pix": Pix2Pix,
    "cartoongan": CartoonGAN,
    "syntheticflow": SyntheticFlow,
}
