"""Recycle-GAN: Bansal et al., Recycle-GAN: Unsupervised Video Retargeting, ECCV 2018, as its authors' code trains it.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, P_Y predicts a third frame of Y from two,
D_Y judges Y. x₁ x₂ x₃ and y₁ y₂ y₃ are consecutive frames of unpaired windows. Each term is computed once with
(X, Y) = (A, B) and once with (B, A). Section numbers are the paper's; where it writes squared distances, the code that
gave its results has L1, and so has this.
"""

import torch
from torch import Tensor, nn

from recycle import losses
from recycle.config import MethodConfig
from recycle.methods.base import TwoWayMethod, frozen, inference, stacked
from recycle.networks import build_predictor


class RecycleGAN(TwoWayMethod):
    """Trains on windows of three frames; raises ValueError for windows of other lengths."""

    window = 3

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.predictor_a = build_predictor(config.networks)
        self.predictor_b = build_predictor(config.networks)

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses <term>_<way> or <term>_<domain of the picture that is judged>; none for a weight of 0."""
        for windows in (a, b):
            if windows.shape[1] != self.window:
                raise ValueError(f"windows of {windows.shape[1]} frames: recyclegan trains on {self.window}")
        fakes_b, terms_ab = self._way(
            "ab", a, b, self.generator_ab, self.generator_ba, self.predictor_b, self.discriminator_b
        )
        fakes_a, terms_ba = self._way(
            "ba", b, a, self.generator_ba, self.generator_ab, self.predictor_a, self.discriminator_a
        )
        return {"a": fakes_a, "b": fakes_b}, terms_ab | terms_ba

    def _way(
        self, names: str, x: Tensor, y: Tensor, G_Y: nn.Module, G_X: nn.Module, P_Y: nn.Module, D_Y: nn.Module
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """One direction, `names` "ab" or "ba". x, y: windows (B, T, 3, H, W).

        Gives the fakes of Y, detached: G_Y(x₁), G_Y(x₂), P_Y(G_Y(x₁), G_Y(x₂)), P_Y(y₁, y₂), as (4B, 3, H, W).
        """
        X, Y = tuple(names)
        weights, batch = self.weights, len(x)
        terms: dict[str, Tensor] = {}
        x12, y12, x3, y3 = stacked(x, 0, 2), stacked(y, 0, 2), x[:, 2], y[:, 2]

        translated = G_Y(torch.cat([x12, y12]) if weights.identity else x12)
        fake_y12 = translated[: 2 * batch]
        fake_y3, predicted_y3 = P_Y(torch.cat([_pairs(fake_y12), _pairs(y12)])).chunk(2)
        fakes = torch.cat([fake_y12, fake_y3, predicted_y3])

        if weights.adversarial or weights.predictor_adversarial:
            kinds = 4 if weights.predictor_adversarial else 3
            with frozen(D_Y):
                scores = D_Y(fakes[: kinds * batch])
            if weights.adversarial:
                # adversarial: (D_Y(G_Y(x₁)) - 1)² + (D_Y(G_Y(x₂)) - 1)² + (D_Y(P_Y(G_Y(x₁), G_Y(x₂))) - 1)²
                terms[f"adversarial_{names}"] = weights.adversarial * 3 * losses.lsgan_generator(scores[: 3 * batch])
            if weights.predictor_adversarial:
                # predictor adversarial: (D_Y(P_Y(y₁, y₂)) - 1)²
                terms[f"predictor_adversarial_{Y}"] = weights.predictor_adversarial * losses.lsgan_generator(
                    scores[3 * batch :]
                )
        if weights.recurrent:
            # recurrent: ‖P_Y(y₁, y₂) - y₃‖₁
            terms[f"recurrent_{Y}"] = weights.recurrent * losses.l1(predicted_y3, y3)
        terms |= self._there_and_back(X, x12, x3, fake_y12, fake_y3, G_X)
        if weights.identity:
            # identity (CycleGAN section 5.2): ‖G_Y(y₁) - y₁‖₁ + ‖G_Y(y₂) - y₂‖₁
            terms[f"identity_{Y}"] = weights.identity * 2 * losses.l1(translated[2 * batch :], y12)
        return fakes.detach(), terms

    def _there_and_back(
        self, X: str, x12: Tensor, x3: Tensor, fake_y12: Tensor, fake_y3: Tensor, G_X: nn.Module
    ) -> dict[str, Tensor]:
        """Terms that ask for the way back, in one forward of G_X."""
        weights = self.weights
        terms: dict[str, Tensor] = {}
        fakes = ([fake_y12] if weights.cycle else []) + ([fake_y3] if weights.recycle else [])
        if not fakes:
            return terms
        back = G_X(torch.cat(fakes))
        if weights.recycle:
            # recycle: ‖G_X(P_Y(G_Y(x₁), G_Y(x₂))) - x₃‖₁
            terms[f"recycle_{X}"] = weights.recycle * losses.l1(back[-len(x3) :], x3)
        if weights.cycle:
            # cycle (CycleGAN eq. 2): ‖G_X(G_Y(x₁)) - x₁‖₁ + ‖G_X(G_Y(x₂)) - x₂‖₁
            terms[f"cycle_{X}"] = weights.cycle * 2 * losses.l1(back[: len(x12)], x12)
        return terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses discriminator_b, discriminator_a: each the sum over four pairs of a real picture and a fake."""
        result = {}
        for domain, windows, D_Y in (("b", b, self.discriminator_b), ("a", a, self.discriminator_a)):
            batch = len(windows)
            real, fake = stacked(windows, 0, 3), self.pools[domain].query(fakes[domain])
            scores = D_Y(torch.cat([real, fake]))
            # y₃ stands against two fakes, so its scores, computed once, count twice.
            real_scores = torch.cat([scores[: 3 * batch], scores[2 * batch : 3 * batch]])
            # 1/2 [(D_Y(y) - 1)² + D_Y(f)²] for (y, f) = (y₁, G_Y(x₁)), (y₂, G_Y(x₂)), (y₃, P_Y(G_Y(x₁), G_Y(x₂))),
            # (y₃, P_Y(y₁, y₂))
            result[f"discriminator_{domain}"] = 4 * losses.lsgan_discriminator(real_scores, scores[3 * batch :])
        return result

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Third frames: source, translated, reconstructed and predicted from the first two, of A and then of B."""
        result = {}
        with inference(self):
            for domain, windows, there, back, predictor in (
                ("a", a, self.generator_ab, self.generator_ba, self.predictor_a),
                ("b", b, self.generator_ba, self.generator_ab, self.predictor_b),
            ):
                source = windows[:, 2]
                translated = there(source)
                result[f"{domain}_source"] = source
                result[f"{domain}_translated"] = translated
                result[f"{domain}_reconstructed"] = back(translated)
                result[f"{domain}_predicted"] = predictor(_pairs(stacked(windows, 0, 2)))
        return result


def _pairs(frames: Tensor) -> Tensor:
    """First and second frames (2B, 3, H, W), all the first ones first, as a predictor takes them: (B, 6, H, W)."""
    return torch.cat(frames.chunk(2), dim=1)
