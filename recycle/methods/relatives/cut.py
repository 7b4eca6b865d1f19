"""CUT and FastCUT: Park, Efros, Zhang, Zhu, Contrastive Learning for Unpaired Image-to-Image Translation, ECCV 2020.

A picture x of A, a picture y of B: G turns A into B, D judges B, F makes vectors of patches out of the maps that the
first half of G has of a picture. A patch of G(x) has to be told from the other patches of x by its own. Equation
numbers are the paper's. Terms, weights and maps are those of the authors' code: `contrastive` is 1/2 where the paper
writes 1, because the code halves the sum when both contrastive terms are on.

What differs: generators change their size by strided convolutions as everywhere here, without the blur that the
authors' code puts in. Their fifth of nine residual blocks is the middle one of any other number.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from recycle.config import MethodConfig
from recycle.methods.base import Moment
from recycle.methods.ways import OneWayMethod
from recycle.networks.networks import ResNetGenerator
from recycle.networks.projections import PatchProjections, draw_places, seen


class CUT(OneWayMethod):
    """Single frames, A to B: of longer windows the first frame is used."""

    def __init__(self, config: MethodConfig) -> None:
        super().__init__(config)
        own = config.own
        self._patches, self._temperature, self._mirrored = int(own["patches"]), own["temperature"], own["mirrored"]
        self._compares = bool(config.weights.contrastive or config.weights.contrastive_identity)
        if self._compares:
            self.projections = PatchProjections(cast(ResNetGenerator, self.generator_ab), config.networks)

    def generator_losses(self, a: Tensor, b: Tensor, moment: Moment) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses adversarial_ab, contrastive_a, contrastive_identity_b; none for a weight of 0."""
        weights, terms = self.weights, {}
        pictures = {"fake": a[:, 0]} | ({"same": b[:, 0]} if weights.contrastive_identity else {})
        # FastCUT: half of the time all that G is given is mirrored, and compared with what is not
        mirrored = self._mirrored > 0 and bool(torch.rand(()) < self._mirrored)
        given = {kind: picture.flip(-1) for kind, picture in pictures.items()} if mirrored else pictures
        translated, maps = self._seen(given, whole=True)
        fake = translated["fake"]
        if weights.adversarial:
            # eq. 1: (D(G(x)) - 1)², by default
            scores = self.discriminator_b(fake)
            terms["adversarial_ab"] = weights.adversarial * self.adversarial.generator(scores)
        if self._compares:
            if mirrored:
                with torch.no_grad():
                    _, maps = self._seen(pictures, whole=False)
            _, made = self._seen(translated, whole=False)
            if mirrored:
                made = {kind: [each.flip(-1) for each in of_kind] for kind, of_kind in made.items()}
            if weights.contrastive:
                # eq. 4: Σ_l Σ_s ℓ(F_l(G(x))_s, F_l(x)_s, F_l(x)_others)
                terms["contrastive_a"] = weights.contrastive * self._contrast(made["fake"], maps["fake"])
            if weights.contrastive_identity:
                # eq. 5, its second: the same of G(y) and y
                terms["contrastive_identity_b"] = weights.contrastive_identity * self._contrast(
                    made["same"], maps["same"]
                )
        return {"b": fake.detach()}, terms

    def discriminator_losses(self, a: Tensor, b: Tensor, fakes: dict[str, Tensor], moment: Moment) -> dict[str, Tensor]:
        """Loss discriminator_b; none without an adversarial term."""
        if not self.weights.adversarial:
            return {}
        scores = self.through(self.discriminator_b, {"real": b[:, 0], "fake": self.pools["b"].query(fakes["b"])})
        # 1/2 [(D(y) - 1)² + D(G(x))²], by default
        return {"discriminator_b": self.adversarial.real(scores["real"]) + self.adversarial.fake(scores["fake"])}

    def _seen(self, pictures: Mapping[str, Tensor], whole: bool) -> tuple[dict[str, Tensor], dict[str, list[Tensor]]]:
        """What G makes of each kind of picture, and the maps that its first half has of it; only those unless `whole`.

        In one forward, but under BatchNorm one for each kind (see `through`).
        """
        G = cast(ResNetGenerator, self.generator_ab)
        if self._apart:
            each = {kind: seen(G, picture, whole) for kind, picture in pictures.items()}
            return {kind: made for kind, (made, _) in each.items()}, {kind: maps for kind, (_, maps) in each.items()}
        counts = [len(picture) for picture in pictures.values()]
        made, maps = seen(G, torch.cat(list(pictures.values())), whole)
        parts = zip(*(of_layer.split(counts) for of_layer in maps), strict=True)
        return dict(zip(pictures, made.split(counts), strict=True)), {
            kind: list(part) for kind, part in zip(pictures, parts, strict=True)
        }

    def _contrast(self, made: list[Tensor], source: list[Tensor]) -> Tensor:
        """The mean over maps of ℓ of every place that is drawn: maps of a translation and of its source."""
        places = draw_places(source, self._patches)
        with torch.no_grad():  # as in the code, what it is compared with is not moved
            keys = self.projections(source, places)
        queries = self.projections(made, places)
        of_layers = [contrast(q, k, self._temperature) for q, k in zip(queries, keys, strict=True)]
        return torch.stack(of_layers).mean()


def contrast(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Eq. 3, the mean over queries: -log of the part that a query's own key has among all keys of its picture.

    queries, keys: (N, P, C), vectors of length 1.

    >>> round(contrast(torch.eye(4)[None], torch.eye(4)[None], 0.07).item(), 4)  # each is its own
    0.0
    >>> round(contrast(torch.eye(4)[None], torch.eye(4).roll(1, 0)[None], 0.07).item(), 1)  # each is another's
    14.3
    """
    likeness = queries @ keys.transpose(1, 2) / temperature
    own = torch.arange(likeness.shape[-1], device=likeness.device).expand(len(likeness), -1)
    return nn.functional.cross_entropy(likeness.flatten(0, 1), own.flatten())
