"""Our own method against its formulas written out, and what its terms are there for."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from recycle.config import LossWeights, MethodConfig
from recycle.methods import METHODS
from recycle.methods.base import Method, Moment
from recycle.methods.equivariance import Equivariance
from recycle.methods.flow import draw_flow, warp
from recycle.methods.history import HistoryPool
from tests.literal import NETWORKS, distance, judged, windows
from tests.recycle.methods.steps import assert_steps_are_literal

WEIGHTS = LossWeights(adversarial=0.7, detail=0.3, cycle=10, identity=2, mirror=2, flow=8)
CONFIG = MethodConfig(replace(NETWORKS, skips=True), WEIGHTS, instance_noise=0.2, grow_in=0.0, pool_size=3)
TWO_WAY = [name for name, row in METHODS.items() if row.ways == "two-way"]


def fine(x: Tensor) -> Tensor:
    """Each pixel less the mean of the 5 x 5 around it, mirrored at the border."""
    padded = nn.functional.pad(x, (2, 2, 2, 2), mode="reflect")
    around = sum(padded[..., i : i + x.shape[-2], j : j + x.shape[-1]] for i in range(5) for j in range(5))
    return x - around / 25


def literal(
    method: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    weights, formulas = config.weights, judged(config.adversarial_loss)
    terms, fakes = {}, {}

    def seen(x: Tensor) -> Tensor:
        return x + config.instance_noise * torch.randn(x.shape, dtype=x.dtype)

    for X, Y, x, y in (("a", "b", a[:, 0], b[:, 0]), ("b", "a", b[:, 0], a[:, 0])):
        G_Y, G_X = getattr(method, f"generator_{X}{Y}"), getattr(method, f"generator_{Y}{X}")
        D_Y, detail = getattr(method, f"discriminator_{Y}"), getattr(method, f"detail_discriminator_{Y}")
        axes = [(3,), (2,), (2, 3)][int(torch.randint(3, ()))]
        flow = draw_flow(len(x), *x.shape[-2:])
        one = [G_Y(picture) for picture in x.split(1)]
        fake = torch.cat(one)
        terms |= {
            f"adversarial_{X}{Y}": weights.adversarial * formulas.generator(D_Y(seen(fake))),
            f"detail_{X}{Y}": weights.detail * formulas.generator(detail(fine(fake))),
            f"cycle_{X}": weights.cycle * distance(torch.cat([G_X(picture) for picture in one]), x),
            f"identity_{Y}": weights.identity * distance(torch.cat([G_Y(picture) for picture in y.split(1)]), y),
            f"mirror_{X}": weights.mirror
            * distance(torch.cat([G_Y(picture.flip(axes)) for picture in x.split(1)]), fake.flip(axes)),
            f"flow_{X}": weights.flow
            * distance(torch.cat([G_Y(picture) for picture in warp(x, flow).split(1)]), warp(fake, flow)),
        }
        fakes[Y] = fake.detach()
    judging = {}
    for Y, y in (("b", b[:, 0]), ("a", a[:, 0])):
        D_Y, detail = getattr(method, f"discriminator_{Y}"), getattr(method, f"detail_discriminator_{Y}")
        shown = pools[Y].query(fakes[Y])
        judging[f"discriminator_{Y}"] = formulas.real(D_Y(seen(y))) + formulas.fake(D_Y(seen(shown)))
        judging[f"detail_discriminator_{Y}"] = formulas.real(detail(fine(y))) + formulas.fake(detail(fine(shown)))
    return terms, judging


@pytest.mark.parametrize("loss", ["lsgan", "vanilla", "hinge"])
def test_steps_are_the_formulas(loss) -> None:
    assert_steps_are_literal("equivariant", replace(CONFIG, adversarial_loss=loss), literal, steps=3)


def test_details_alone_are_learned_without_the_other_judge() -> None:
    method = METHODS["equivariant"](replace(CONFIG, weights=LossWeights(adversarial=0, detail=1, cycle=10)))
    a, b = (window.float() for window in windows())
    fakes, losses = method.generator_losses(a, b, Moment(1, 0.0))
    assert {"detail_ab", "detail_ba"} <= losses.keys() and "adversarial_ab" not in losses
    assert list(method.discriminator_losses(a, b, fakes, Moment(1, 0.0))) == [
        "detail_discriminator_b",
        "detail_discriminator_a",
    ]


def test_without_details_there_is_no_judge_of_them() -> None:
    method = METHODS["equivariant"](replace(CONFIG, weights=LossWeights(cycle=10)))
    assert list(method.discriminators) == ["discriminator_a", "discriminator_b"]


@pytest.mark.parametrize("name", TWO_WAY)
def test_every_two_way_method_can_be_held_equivariant(name) -> None:
    """The terms are those of the networks: for one that is the identity both are 0, whatever else the method has."""
    plain = METHODS[name].defaults("tiny")[0].weights
    config = MethodConfig(NETWORKS, replace(plain, content=0, mirror=2, flow=8), grow_in=0.3)
    method = METHODS[name](config)
    a, b = (window.float() for window in windows(method.window))
    _, begun = method.generator_losses(a, b, Moment(1, 0.0))
    torch.manual_seed(1)
    _, half = method.generator_losses(a, b, Moment(16, 0.15))
    torch.manual_seed(1)
    _, grown = method.generator_losses(a, b, Moment(31, 0.3))
    for term in ("mirror_a", "mirror_b", "flow_a", "flow_b"):
        assert begun[term] == 0 and half[term] > 0
        assert grown[term].item() == pytest.approx(2 * half[term].item(), rel=1e-5)
    method.generator_ab = method.generator_ba = nn.Identity()
    _, losses = method.generator_losses(a, b, Moment(31, 0.3))
    assert max(losses[f"{term}_{domain}"].item() for term in ("mirror", "flow") for domain in "ab") < 1e-6


def moved(dx: int, dy: int):
    return lambda pictures: torch.roll(pictures, (dy, dx), (-2, -1))


@pytest.mark.parametrize(("dx", "dy"), [(1, 0), (0, 1), (2, -1)])
def test_a_shift_costs_under_a_mirror_and_not_under_the_flow(dx, dy) -> None:
    """What drifts in training; the flow lets it through but for what the flow's own slope makes of a pixel."""
    smooth = torch.linspace(0, 6.28, 64)
    pictures = (torch.sin(smooth)[:, None] * torch.cos(2 * smooth)).expand(4, 3, 64, 64).contiguous()
    torch.manual_seed(0)
    found = {"mirror": 0.0, "flow": 0.0}
    for _ in range(20):
        drawn = Equivariance(mirror=1, flow=1, grow_in=0).move(pictures, Moment(1, 0.0))
        fake = moved(dx, dy)(pictures)
        translated = {kind: moved(dx, dy)(picture) for kind, picture in drawn.pictures.items()}
        for name, value in drawn.losses(translated, fake, "a").items():
            found[name.removesuffix("_a")] += value.item() / 20
    assert found["mirror"] > 3 * found["flow"]


def test_grain_costs_under_both() -> None:
    """Grain that depends on the place in the picture, as networks leave it."""
    torch.manual_seed(0)
    grain = 0.1 * torch.randn(1, 3, 64, 64)
    pictures = torch.zeros(1, 3, 64, 64)
    drawn = Equivariance(mirror=1, flow=1, grow_in=0).move(pictures, Moment(1, 0.0))
    translated = {kind: picture + grain for kind, picture in drawn.pictures.items()}
    costs = drawn.losses(translated, pictures + grain, "a")
    assert min(value.item() for value in costs.values()) > 0.05


def test_the_row_trains_faster_where_it_was_tried() -> None:
    row = METHODS["equivariant"]
    assert row.defaults("tiny")[1].learning_rate == 1e-3
    assert row.defaults("paper")[1].learning_rate == METHODS["cyclegan"].defaults("paper")[1].learning_rate


def test_instance_noise_hides_grain_from_judges_and_leaves_shapes() -> None:
    """What a judge can tell of a camera's grain falls; a square two grey levels of ten high stays to be seen."""
    torch.manual_seed(0)
    method = METHODS["cyclegan"](replace(CONFIG, weights=LossWeights(cycle=10), instance_noise=0.2))
    clean = torch.zeros(200, 3, 32, 32)
    grain, shape = 0.04 * torch.randn_like(clean), torch.zeros_like(clean)
    shape[..., 8:24, 8:24] = 0.2

    def told(a: Tensor, b: Tensor) -> float:
        """How far apart the spread of pixels, or of means over the square, is in the two, in standard deviations."""
        spreads = [x.flatten(1).std(1) for x in (a, b)]
        return float((spreads[0].mean() - spreads[1].mean()).abs() / torch.cat(spreads).std())

    def placed(a: Tensor, b: Tensor) -> float:
        means = [x[..., 8:24, 8:24].mean((1, 2, 3)) for x in (a, b)]
        return float((means[0].mean() - means[1].mean()).abs() / means[0].std().clamp_min(1e-3))

    assert told(method.noised(grain), method.noised(clean)) < told(grain, clean)
    assert placed(method.noised(clean + shape), method.noised(clean)) > 10
