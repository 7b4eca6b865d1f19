"""Recycle-GAN: Bansal et al., Recycle-GAN: Unsupervised Video Retargeting, ECCV 2018, as its authors' code trains it.

Seen from domain X to domain Y: G_Y translates X to Y, G_X translates Y to X, P_Y predicts a frame of Y from the two
before it, D_Y judges Y. x₁ ... x_T and y₁ ... y_T are consecutive frames of unpaired windows. Each term is computed
once with (X, Y) = (A, B) and once with (B, A), under the name that the paper's section 3 gives it; where that writes
squared distances, the code that gave its results has L1, and so has this. The authors train on T = 3; a longer window
has each term at every frame that it can take. Adversarial terms are written with the authors' least squares; other
losses stand in their place.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods import losses
from recycle.methods.base import Moment, inference
from recycle.methods.ways import TwoWayMethod, Way
from recycle.networks.networks import build_predictor


class RecycleGAN(TwoWayMethod):
    """Trains on windows of T = `config.window` frames, 3 or more; raises ValueError for windows of other lengths."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        self.window = config.window
        self.predictor_a = build_predictor(config.networks)
        self.predictor_b = build_predictor(config.networks)

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses <term>_<way> or <term>_<domain of the picture that is judged>; none for a weight of 0.

        The fakes of a domain are of every kind, one after the other: (3T - 5) * B pictures.
        """
        for windows in (a, b):
            if windows.shape[1] != self.window:
                raise ValueError(f"windows of {windows.shape[1]} frames: recyclegan trains on {self.window}")
        return super().generator_losses(a, b, moment)

    def way_losses(self, way: Way, x: Tensor, y: Tensor, moment: Moment) -> tuple[Tensor, dict[str, Tensor]]:
        """The fakes of Y, detached, kind after kind, and the terms of one direction.

        The kinds: G_Y(x_t) for t = 1 ... T-1, P_Y(G_Y(x_t-2), G_Y(x_t-1)) for t = 3 ... T, P_Y(y_t-2, y_t-1) for
        t = 3 ... T.
        """
        weights, P_Y = self.weights, self.predictor_b if way.Y == "b" else self.predictor_a
        terms: dict[str, Tensor] = {}
        xs, ys = x.unbind(1), y.unbind(1)

        moved = self.equivariance.move(xs[0], moment)
        there: dict[str, Sequence[Tensor]] = {"fake": xs[:-1]}
        if weights.identity:
            there["same"] = ys[:-1]
        there |= {kind: [picture] for kind, picture in moved.pictures.items()}
        translated = self._through(way.G_Y, there)
        fake = translated["fake"]
        predicted = self._through(P_Y, {"fake": _pairs(fake), "real": _pairs(ys[:-1])})

        judged = {"fake": fake, "ahead": predicted["fake"]}
        if weights.predictor_adversarial:
            judged["predicted"] = predicted["real"]
        if weights.adversarial or weights.predictor_adversarial:
            scores = self._through(way.D_Y, judged)
        if weights.adversarial:
            # adversarial: Σ_{t<T} (D_Y(G_Y(x_t)) - 1)² + Σ_{t≥3} (D_Y(P_Y(G_Y(x_t-2), G_Y(x_t-1))) - 1)²
            terms[f"adversarial_{way.name}"] = weights.adversarial * _sum(
                self.adversarial.generator(each) for each in (*scores["fake"], *scores["ahead"])
            )
        if weights.predictor_adversarial:
            # predictor adversarial: Σ_{t≥3} (D_Y(P_Y(y_t-2, y_t-1)) - 1)²
            terms[f"predictor_adversarial_{way.Y}"] = weights.predictor_adversarial * _sum(
                self.adversarial.generator(each) for each in scores["predicted"]
            )
        if weights.recurrent:
            # recurrent: Σ_{t≥3} ‖P_Y(y_t-2, y_t-1) - y_t‖₁
            terms[f"recurrent_{way.Y}"] = weights.recurrent * _distances(predicted["real"], ys[2:])
        terms |= self._there_and_back(way, xs, fake, ahead=predicted["fake"])
        if weights.identity:
            # identity (CycleGAN section 5.2): Σ_{t<T} ‖G_Y(y_t) - y_t‖₁
            terms[f"identity_{way.Y}"] = weights.identity * _distances(translated["same"], ys[:-1])
        terms |= moved.losses({kind: translated[kind][0] for kind in moved.pictures}, fake[0], way.X)
        return torch.cat([*fake, *predicted["fake"], *predicted["real"]]).detach(), terms

    def _there_and_back(
        self, way: Way, xs: Sequence[Tensor], fake: Sequence[Tensor], ahead: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Terms that ask for the way back, in one forward of G_X."""
        weights = self.weights
        terms: dict[str, Tensor] = {}
        there: dict[str, Sequence[Tensor]] = {}
        if weights.cycle:
            there["fake"] = fake
        if weights.recycle:
            there["ahead"] = ahead
        if not there:
            return terms
        back = self._through(way.G_X, there)
        if weights.recycle:
            # recycle: Σ_{t≥3} ‖G_X(P_Y(G_Y(x_t-2), G_Y(x_t-1))) - x_t‖₁
            terms[f"recycle_{way.X}"] = weights.recycle * _distances(back["ahead"], xs[2:])
        if weights.cycle:
            # cycle (CycleGAN eq. 2): Σ_{t<T} ‖G_X(G_Y(x_t)) - x_t‖₁
            terms[f"cycle_{way.X}"] = weights.cycle * _distances(back["fake"], xs[:-1])
        return terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Losses discriminator_b, discriminator_a: each the sum over all pairs of a real picture and a fake of it;
        none without an adversarial term."""
        if not (self.weights.adversarial or self.weights.predictor_adversarial):
            return {}
        result = {}
        for domain, windows, D_Y in (("b", b, self.discriminator_b), ("a", a, self.discriminator_a)):
            shown = self.pools[domain].query(fakes[domain]).split(len(windows))
            scores = self._through(D_Y, {"real": windows.unbind(1), "fake": shown})
            real = scores["real"]
            # 1/2 [(D_Y(y) - 1)² + D_Y(f)²] for (y, f) = (y_t, G_Y(x_t)) with t < T, then
            # (y_t, P_Y(G_Y(x_t-2), G_Y(x_t-1))) and (y_t, P_Y(y_t-2, y_t-1)) with t ≥ 3. A real frame beside several
            # fakes has its scores computed once and counted as often.
            beside = [*real[:-1], *real[2:], *real[2:]]
            result[f"discriminator_{domain}"] = _sum(
                self.adversarial.real(y) + self.adversarial.fake(f) for y, f in zip(beside, scores["fake"], strict=True)
            )
        return result

    def _through(self, network: nn.Module, frames: Mapping[str, Sequence[Tensor]]) -> dict[str, list[Tensor]]:
        """The frames (B, C, H, W) of each kind through `network`, in one forward where `through` makes one."""
        named = {f"{kind} {number}": frame for kind, each in frames.items() for number, frame in enumerate(each)}
        made = self.through(network, named)
        return {kind: [made[f"{kind} {number}"] for number in range(len(each))] for kind, each in frames.items()}

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
