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
from recycle.methods.base import TwoWayMethod, frozen
from recycle.methods.flow import draw_flow, draw_noise, warp
from recycle.networks.features import ContentLayer, compared


class SyntheticFlow(TwoWayMethod):
    """Single frames: of longer windows the first frame is used."""

    content_layer: ClassVar[ContentLayer] = "relu5_4"
    """What `content` is to be."""

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_<way>, identity_<domain of the picture>, and unsupervised_spatial, unsupervised_recycle,
        cycle and content _<domain of the source picture>; none for a weight of 0.

        Raises RuntimeError where `content` was not given and has a weight.
        """
        a, b = a[:, 0], b[:, 0]
        fake_b, terms_ab = self._way("ab", a, b, self.generator_ab, self.generator_ba, self.discriminator_b)
        fake_a, terms_ba = self._way("ba", b, a, self.generator_ba, self.generator_ab, self.discriminator_a)
        return {"a": fake_a, "b": fake_b}, terms_ab | terms_ba

    def _way(
        self, names: str, x: Tensor, y: Tensor, G_Y: nn.Module, G_X: nn.Module, D_Y: nn.Module
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One direction, `names` "ab" or "ba". x, y: pictures (B, 3, H, W). Gives G_Y(x), detached, and its terms."""
        X, Y = tuple(names)
        weights = self.weights
        terms: dict[str, Tensor] = {}
        there = {"fake": x}
        if weights.unsupervised_spatial:
            flow, noise = _draw(x)
            there["next"] = warp(x, flow) + noise
        if weights.identity:
            there["same"] = y
        translated = dict(zip(there, self.through(G_Y, *there.values()), strict=True))
        fake_y = translated["fake"]
        if weights.adversarial:
            with frozen(D_Y):
                (scores,) = self.through(D_Y, fake_y)
            # adversarial, by default with least squares: (D_Y(G_Y(x)) - 1)²
            terms[f"adversarial_{names}"] = weights.adversarial * self.adversarial.generator(scores)
        if weights.unsupervised_spatial:
            # unsupervised spatial: ‖G_Y(W(x) + Δ) - W(G_Y(x))‖₁
            terms[f"unsupervised_spatial_{X}"] = weights.unsupervised_spatial * losses.l1(
                translated["next"], warp(fake_y, flow)
            )
        terms |= self._there_and_back(X, x, fake_y, G_X)
        if weights.identity:
            # identity (CycleGAN section 5.2): ‖G_Y(y) - y‖₁
            terms[f"identity_{Y}"] = weights.identity * losses.l1(translated["same"], y)
        if weights.content:
            # content: ‖N(VGG(G_Y(x))) - N(VGG(x))‖₂², N without each channel's mean and deviation
            seen, wanted = map(_normalised, compared(self.content, fake_y, x))
            terms[f"content_{X}"] = weights.content * (seen - wanted).square().mean()
        return fake_y.detach(), terms

    def _there_and_back(self, X: str, x: Tensor, fake_y: Tensor, G_X: nn.Module) -> dict[str, Tensor]:
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
        back = dict(zip(there, self.through(G_X, *there.values()), strict=True))
        if weights.unsupervised_recycle:
            # unsupervised recycle: ‖G_X(W(G_Y(x)) + Δ) - W(x)‖₁
            terms[f"unsupervised_recycle_{X}"] = weights.unsupervised_recycle * losses.l1(back["next"], warp(x, flow))
        if weights.cycle:
            # cycle (CycleGAN eq. 2): ‖G_X(G_Y(x)) - x‖₁
            terms[f"cycle_{X}"] = weights.cycle * losses.l1(back["same"], x)
        return terms


def _draw(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """A flow and noise for pictures (B, 3, H, W), in float32 on their device."""
    batch, _, height, width = pictures.shape
    flow = draw_flow(batch, height, width).to(pictures.device)
    return flow, draw_noise(batch, height, width).to(pictures.device)


def _normalised(features: Tensor) -> Tensor:
    """Features (N, C, h, w) of mean 0 and variance 1 in each channel of each picture, in float32 at least."""
    return nn.functional.instance_norm(features.to(torch.promote_types(features.dtype, torch.float32)))
