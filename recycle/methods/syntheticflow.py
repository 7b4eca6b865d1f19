"""Unsupervised Recycle-GAN: Wang, Akash, Misu, Learning Temporally and Semantically Consistent Unpaired Video-to-Video
Translation Through Pseudo-Supervision From Synthetic Optical Flow, AAAI 2022, as its authors' code trains it.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, D_Y judges Y. W moves a picture by a drawn
smooth flow and Δ is drawn noise, so that W(x) + Δ plays the frame after x. Each term is computed once with
(X, Y) = (A, B) and once with (B, A). As in the code, each of the two unsupervised terms of each picture has a W and a Δ
of its own.

For VGG the code has weights of its own, scaled layer by layer, which the normalisation of the features takes out again,
with mirrored borders and without ImageNet's mean; here it is torchvision's VGG-19 up to relu5_4.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from recycle.methods import losses
from recycle.methods.base import Moment
from recycle.methods.flow import draw_flow, draw_noise, warp
from recycle.methods.ways import TwoWayMethod, Way
from recycle.networks.features import ContentLayer, compared


class SyntheticFlow(TwoWayMethod):
    """Single frames: of longer windows the first frame is used."""

    content_layer: ClassVar[ContentLayer] = "relu5_4"
    """What `content` is to be."""

    def way_losses(self, way: Way, x: Tensor, y: Tensor, moment: Moment) -> tuple[Tensor, dict[str, Tensor]]:
        """G_Y(x), detached; losses adversarial_<way>, identity_<Y>, and unsupervised_spatial, unsupervised_recycle,
        cycle and content _<X>.

        Raises RuntimeError where `content` was not given and has a weight.
        """
        x, y, weights = x[:, 0], y[:, 0], self.weights
        there = {"fake": x}
        if weights.unsupervised_spatial:
            flow, noise = _draw(x)
            there["next"] = warp(x, flow) + noise
        if weights.identity:
            there["same"] = y
        moved = self.equivariance.move(x, moment)
        translated = self.through(way.G_Y, there | moved.pictures)
        fake_y = translated["fake"]
        terms = self.adversarial_losses(way, fake_y, moment)
        if weights.unsupervised_spatial:
            # unsupervised spatial: ‖G_Y(W(x) + Δ) - W(G_Y(x))‖₁
            terms[f"unsupervised_spatial_{way.X}"] = weights.unsupervised_spatial * losses.l1(
                translated["next"], warp(fake_y, flow)
            )
        terms |= self._there_and_back(way, x, fake_y)
        if weights.identity:
            # identity (CycleGAN section 5.2): ‖G_Y(y) - y‖₁
            terms[f"identity_{way.Y}"] = weights.identity * losses.l1(translated["same"], y)
        if weights.content:
            # content: ‖N(VGG(G_Y(x))) - N(VGG(x))‖₂², N without each channel's mean and deviation
            seen, wanted = map(_normalised, compared(self.content, fake_y, x))
            terms[f"content_{way.X}"] = weights.content * (seen - wanted).square().mean()
        return fake_y.detach(), terms | moved.losses(translated, fake_y, way.X)

    def _there_and_back(self, way: Way, x: Tensor, fake_y: Tensor) -> dict[str, Tensor]:
        """Terms that ask for the way back, in one forward of G_X."""
        weights = self.weights
        terms: dict[str, Tensor] = {}
        there: dict[str, Tensor] = {}
        if weights.unsupervised_recycle:
            flow, noise = _draw(x)
            there["next"] = warp(fake_y, flow) + noise
        if weights.cycle:
            there["same"] = fake_y
        if not there:
            return terms
        back = self.through(way.G_X, there)
        if weights.unsupervised_recycle:
            # unsupervised recycle: ‖G_X(W(G_Y(x)) + Δ) - W(x)‖₁
            terms[f"unsupervised_recycle_{way.X}"] = weights.unsupervised_recycle * losses.l1(
                back["next"], warp(x, flow)
            )
        if weights.cycle:
            # cycle (CycleGAN eq. 2): ‖G_X(G_Y(x)) - x‖₁
            terms[f"cycle_{way.X}"] = weights.cycle * losses.l1(back["same"], x)
        return terms


def _draw(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """A flow and noise for pictures (B, 3, H, W), in float32 on their device."""
    batch, _, height, width = pictures.shape
    shape = batch, height, width
    return draw_flow(*shape, pictures.device), draw_noise(*shape, pictures.device)


def _normalised(features: Tensor) -> Tensor:
    """Features (N, C, h, w) of mean 0 and variance 1 in each channel of each picture, in float32 at least."""
    return nn.functional.instance_norm(features.to(torch.promote_types(features.dtype, torch.float32)))
