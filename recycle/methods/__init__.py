"""The one table of methods, by the name that `--method` takes."""

from recycle.methods.base import Method
from recycle.methods.cyclegan import CycleGAN
from recycle.methods.recyclegan import RecycleGAN

METHODS: dict[str, type[Method]] = {"recyclegan": RecycleGAN, "cyclegan": CycleGAN}
