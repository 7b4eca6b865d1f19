"""CUT's and FastCUT's step against their formulas, and what belongs to patches."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from recycle.config import LossWeights, MethodConfig
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.methods.history import HistoryPool
from recycle.networks.networks import ResidualBlock
from tests.literal import FIRST, NETWORKS, build, judged, mean_over_batch, windows
from tests.recycle.methods.steps import BATCH_NORM, Losses, alone_or_together, assert_steps_are_literal

NETWORKS = replace(NETWORKS, generator="resnet_3blocks")
BATCH_NORM = replace(BATCH_NORM, generator="resnet_3blocks")


def config_of(name: str, networks=NETWORKS, **changes) -> MethodConfig:
    row = METHODS[name]
    return replace(MethodConfig(networks, row.weights, own=dict(row.own)), **changes)


def maps_of(generator: nn.Module, x: Tensor) -> list[Tensor]:
    """The padded pixels, both halvings, and the first and the middle block, layer by layer by hand."""
    blocks = [place for place, layer in enumerate(generator.model) if isinstance(layer, ResidualBlock)]
    wanted, found = (0, 4, 7, blocks[0], blocks[1]), []
    for place, layer in enumerate(generator.model):
        x = layer(x)
        found += [x.clone()] if place in wanted else []
    return found


def literal_contrast(m: Method, config: MethodConfig, made: Tensor, source: Tensor, mirrored: bool, drawn) -> Tensor:
    """Equations 2 to 4, a patch at a time; `made` comes mirrored where the step is."""
    total = 0.0
    per_map = zip(
        m.projections.heads, maps_of(m.generator_ab, made), maps_of(m.generator_ab, source), drawn, strict=True
    )
    for head, of_made, of_source, places in per_map:
        of_made = of_made.flip(-1) if mirrored else of_made
        width = of_source.shape[-1]

        def vector(features: Tensor, place: int, head=head, width=width) -> Tensor:
            v = head(features[:, place // width, place % width])
            return v / v.norm()

        losses = []
        for picture in range(len(made)):
            keys = torch.stack([vector(of_source[picture], int(place)) for place in places]).detach()
            for number, place in enumerate(places):
                similar = torch.exp(keys @ vector(of_made[picture], int(place)) / config.own["temperature"])
                losses.append(-torch.log(similar[number] / similar.sum()))
        total = total + sum(losses) / len(losses)
    return total / len(m.projections.heads)


def drawn_places(sizes: list[int], count: int) -> list[Tensor]:
    return [torch.randperm(size)[:count] for size in sizes]


def literal_cut(
    m: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[Losses, Losses]:
    """Equations 1 and 5. What is drawn at random is drawn once for the whole batch."""
    w, own, judge, D = config.weights, config.own, judged(config.adversarial_loss), m.discriminator_b
    mirrored = own["mirrored"] > 0 and bool(torch.rand(()) < own["mirrored"])
    turn = (lambda picture: picture.flip(-1)) if mirrored else (lambda picture: picture)
    sizes = [each.shape[-2] * each.shape[-1] for each in maps_of(m.generator_ab, a[:1, 0])]
    places = {
        name: drawn_places(sizes, int(own["patches"]))
        for name in ("contrastive", "contrastive_identity")
        if getattr(w, name)
    }
    generator_losses, discriminator_losses = [], []
    for x, y in alone_or_together(config, a[:, 0], b[:, 0]):
        fake, terms = m.generator_ab(turn(x)), {}
        if w.adversarial:
            terms["adversarial_ab"] = w.adversarial * judge.generator(D(fake))
        if w.contrastive:
            terms["contrastive_a"] = w.contrastive * literal_contrast(
                m, config, fake, x, mirrored, places["contrastive"]
            )
        if w.contrastive_identity:
            same = m.generator_ab(turn(y))
            found = literal_contrast(m, config, same, y, mirrored, places["contrastive_identity"])
            terms["contrastive_identity_b"] = w.contrastive_identity * found
        generator_losses.append(terms)
        shown = pools["b"].query(fake.detach())
        discriminator_losses.append({"discriminator_b": judge.real(D(y)) + judge.fake(D(shown))})
    return mean_over_batch(generator_losses), mean_over_batch(discriminator_losses) if w.adversarial else {}


FEW = {"patches": 4.0, "temperature": 0.07}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cut", {"own": FEW | {"mirrored": 0.0}}),
        ("cut", {"own": FEW | {"mirrored": 1.0}, "adversarial_loss": "hinge"}),
        ("cut", {"own": FEW | {"mirrored": 0.0}, "networks": BATCH_NORM}),
        ("fastcut", {"own": FEW | {"mirrored": 0.5}, "adversarial_loss": "vanilla", "pool_size": 3}),
        ("fastcut", {"own": FEW | {"mirrored": 0.0}, "weights": LossWeights(0.0, contrastive=2.0)}),
        ("cut", {"own": FEW | {"mirrored": 0.0}, "weights": LossWeights(1.0, contrastive_identity=1.0)}),
    ],
)
def test_step_equals_the_formulas(name, changes):
    config = config_of(name, **changes)
    assert_steps_are_literal(name, config, literal_cut, steps=4 if config.pool_size else 1)


def test_what_stays_in_its_place_costs_least():
    """A generator that leaves pictures alone, against one that moves them."""
    config = config_of("fastcut", own={"patches": 64.0, "temperature": 0.07, "mirrored": 0.0})
    costs = {}
    for move in (0, 4):
        method = build("fastcut", config)
        walk = method.generator_ab.walk

        def moved(x: Tensor, walk=walk, move=move):
            *layers, _ = walk(x)
            return iter([*layers, x.roll(move, -1)])

        method.generator_ab.walk = moved
        torch.manual_seed(0)
        costs[move] = method.generator_losses(*windows(), FIRST)[1]["contrastive_a"].item()
    assert costs[0] < 0.8 * costs[4]


@pytest.mark.parametrize("name", ["cut", "fastcut"])
def test_a_saved_run_has_the_heads_and_rendering_needs_none(name):
    method = METHODS[name](config_of(name))
    heads = [key for key in method.state_dict() if key.startswith("projections.")]
    assert len(heads) == 5 * 4
    assert list(method.generators) == ["generator_ab"]
    alone = METHODS[name](config_of(name, weights=LossWeights(1.0)))
    assert not any(key.startswith("projections.") for key in alone.state_dict())
