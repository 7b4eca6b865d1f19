"""Recycle-GAN: Bansal et al., Recycle-GAN: Unsupervised Video Retargeting, ECCV 2018, as its authors' code trains it.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, P_Y predicts a frame of Y from the two
before it, D_Y judges Y. x₁ ... x_T and y₁ ... y_T are consecutive frames of unpaired windows. Each term is computed
once with (X, Y) = (A, B) and once with (B, A), under the name that the paper's section 3 gives it; where that writes
squared distances, the code that gave its results has L1, and so has this. The authors train on T = 3; a longer window
has each term at every frame that it can take. Adversarial terms are written with the authors' least squares; other
losses stand in their place.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import TwoWayMethod, frozen, inference
from recycle.networks.networks import build_predictor


class RecycleGAN(TwoWayMethod):
    """Trains on windows of T = `config.window` frames, 3 or more; raises ValueError for windows of other lengths."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.window = config.window
        self.predictor_a = build_predictor(config.networks)
        self.predictor_b = build_predictor(config.networks)

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses <term>_<way> or <term>_<domain of the picture that is judged>; none for a weight of 0.

        The fakes of a domain are of every kind, one after the other: (3T - 5) * B pictures.
        """
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

        Gives its terms and before them the fakes of Y, detached, kind after kind: G_Y(x_t) for t = 1 ... T-1,
        P_Y(G_Y(x_t-2), G_Y(x_t-1)) for t = 3 ... T, P_Y(y_t-2, y_t-1) for t = 3 ... T.
        """
        X, Y = tuple(names)
        weights, earlier, later = self.weights, self.window - 1, self.window - 2
        terms: dict[str, Tensor] = {}
        xs, ys = x.unbind(1), y.unbind(1)

        translated = self.through(G_Y, *xs[:-1], *(ys[:-1] if weights.identity else ()))
        fake_ys = translated[:earlier]
        predicted = self.through(P_Y, *_pairs(fake_ys), *_pairs(ys[:-1]))
        fake_ahead, real_ahead = predicted[:later], predicted[later:]

        if weights.adversarial or weights.predictor_adversarial:
            with frozen(D_Y):
                scores = self.through(
                    D_Y, *fake_ys, *fake_ahead, *(real_ahead if weights.predictor_adversarial else ())
                )
            if weights.adversarial:
                # adversarial: Σ_{t<T} (D_Y(G_Y(x_t)) - 1)² + Σ_{t≥3} (D_Y(P_Y(G_Y(x_t-2), G_Y(x_t-1))) - 1)²
                terms[f"adversarial_{names}"] = weights.adversarial * _sum(
                    self.adversarial.generator(each) for each in scores[: earlier + later]
                )
            if weights.predictor_adversarial:
                # predictor adversarial: Σ_{t≥3} (D_Y(P_Y(y_t-2, y_t-1)) - 1)²
                terms[f"predictor_adversarial_{Y}"] = weights.predictor_adversarial * _sum(
                    self.adversarial.generator(each) for each in scores[earlier + later :]
                )
        if weights.recurrent:
            # recurrent: Σ_{t≥3} ‖P_Y(y_t-2, y_t-1) - y_t‖₁
            terms[f"recurrent_{Y}"] = weights.recurrent * _distances(real_ahead, ys[2:])
        terms |= self._there_and_back(X, xs, fake_ys, fake_ahead, G_X)
        if weights.identity:
            # identity (CycleGAN section 5.2): Σ_{t<T} ‖G_Y(y_t) - y_t‖₁
            terms[f"identity_{Y}"] = weights.identity * _distances(translated[earlier:], ys[:-1])
        return torch.cat([*fake_ys, *predicted]).detach(), terms

    def _there_and_back(
        self, X: str, xs: Sequence[Tensor], fake_ys: Sequence[Tensor], fake_ahead: Sequence[Tensor], G_X: nn.Module
    ) -> dict[str, Tensor]:
        """Terms that ask for the way back, in one forward of G_X."""
        weights = self.weights
        terms: dict[str, Tensor] = {}
        kinds = [*(fake_ys if weights.cycle else ()), *(fake_ahead if weights.recycle else ())]
        if not kinds:
            return terms
        back = self.through(G_X, *kinds)
        if weights.recycle:
            # recycle: Σ_{t≥3} ‖G_X(P_Y(G_Y(x_t-2), G_Y(x_t-1))) - x_t‖₁
            terms[f"recycle_{X}"] = weights.recycle * _distances(back[-len(fake_ahead) :], xs[2:])
        if weights.cycle:
            # cycle (CycleGAN eq. 2): Σ_{t<T} ‖G_X(G_Y(x_t)) - x_t‖₁
            terms[f"cycle_{X}"] = weights.cycle * _distances(back[: len(fake_ys)], xs[:-1])
        return terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses discriminator_b, discriminator_a: each the sum over all pairs of a real picture and a fake of it;
        none without an adversarial term."""
        if not (self.weights.adversarial or self.weights.predictor_adversarial):
            return {}
        result = {}
        for domain, windows, D_Y in (("b", b, self.discriminator_b), ("a", a, self.discriminator_a)):
            fake = self.pools[domain].query(fakes[domain]).split(len(windows))
            scores = self.through(D_Y, *windows.unbind(1), *fake)
            real_scores, fake_scores = scores[: self.window], scores[self.window :]
            # 1/2 [(D_Y(y) - 1)² + D_Y(f)²] for (y, f) = (y_t, G_Y(x_t)) with t < T, then
            # (y_t, P_Y(G_Y(x_t-2), G_Y(x_t-1))) and (y_t, P_Y(y_t-2, y_t-1)) with t ≥ 3. A real frame beside several
            # fakes has its scores computed once and counted as often.
            beside = [*real_scores[:-1], *real_scores[2:], *real_scores[2:]]
            result[f"discriminator_{domain}"] = _sum(
                self.adversarial.real(y) + self.adversarial.fake(f) for y, f in zip(beside, fake_scores, strict=True)
            )
        return result

    def samples(self, a: Tensor, b: Tensor) -> dict[str, Tensor]:
        """Last frames: source, translated, reconstructed and predicted from the two before, of A and then of B."""
        result = {}
        with inference(self):
            for domain, windows, there, back, predictor in (
                ("a", a, self.generator_ab, self.generator_ba, self.predictor_a),
                ("b", b, self.generator_ba, self.generator_ab, self.predictor_b),
            ):
                *_, before, last, source = windows.unbind(1)
                translated = there(source)
                result[f"{domain}_source"] = source
                result[f"{domain}_translated"] = translated
                result[f"{domain}_reconstructed"] = back(translated)
                result[f"{domain}_predicted"] = predictor(torch.cat([before, last], 1))
        return result


def _pairs(frames: Sequence[Tensor]) -> list[Tensor]:
    """Every two frames (B, 3, H, W) in a row as a predictor takes them: (B, 6, H, W)."""
    return [torch.cat(pair, dim=1) for pair in pairwise(frames)]


def _distances(pictures: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    return _sum(losses.l1(picture, target) for picture, target in zip(pictures, targets, strict=True))


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()
