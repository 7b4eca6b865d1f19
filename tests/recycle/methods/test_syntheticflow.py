"""Unsupervised Recycle-GAN against its formulas written out, with the same motion drawn."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recycle.config import LossWeights, MethodConfig
from recycle.methods.base import Method
from recycle.methods.flow import draw_flow, draw_noise, warp
from recycle.methods.history import HistoryPool
from tests.literal import FIRST, NETWORKS, build, distance, judged, mean_over_batch, values, windows
from tests.recycle.methods.steps import BATCH_NORM, Losses, alone_or_together, assert_steps_are_literal

torch.set_num_threads(1)
PUBLISHED = LossWeights(unsupervised_spatial=10.0, unsupervised_recycle=10.0, content=1.0)
ALL = LossWeights(0.5, cycle=2.0, identity=3.0, content=4.0, unsupervised_spatial=5.0, unsupervised_recycle=6.0)
LABELS = LossWeights(unsupervised_recycle=10.0, cycle=10.0)
SPATIAL = LossWeights(0.0, unsupervised_spatial=1.0)


def normalised(features: Tensor) -> Tensor:
    mean = features.mean((2, 3), keepdim=True)
    variance = ((features - mean) ** 2).mean((2, 3), keepdim=True)
    return (features - mean) / (variance + 1e-5).sqrt()


def draws(weight: float, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """What a term of this weight draws for a batch; nothing for 0."""
    batch, _, *size = pictures.shape
    if not weight:
        return torch.zeros(batch, 2, *size), torch.zeros_like(pictures)
    return draw_flow(batch, *size), draw_noise(batch, *size)


def literal_syntheticflow(
    m: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[Losses, Losses]:
    """As the authors' code reads, with all draws of a direction before it, spatial then recycle."""
    w, judge = config.weights, judged(config.adversarial_loss)
    a, b = a[:, 0], b[:, 0]
    generator_losses, discriminator_losses = {}, {}
    for source, target, X, Y in ((a, b, "a", "b"), (b, a, "b", "a")):
        G_Y, G_X = getattr(m, f"generator_{X}{Y}"), getattr(m, f"generator_{Y}{X}")
        D_Y = getattr(m, f"discriminator_{Y}")
        drawn = (*draws(w.unsupervised_spatial, source), *draws(w.unsupervised_recycle, source))
        terms, judgements = [], []
        for x, y, flow, noise, other_flow, other_noise in alone_or_together(config, source, target, *drawn):
            fake = G_Y(x)
            terms.append(
                {
                    f"adversarial_{X}{Y}": w.adversarial * judge.generator(D_Y(fake)),
                    f"unsupervised_spatial_{X}": w.unsupervised_spatial
                    * distance(G_Y(warp(x, flow) + noise), warp(fake, flow)),
                    f"unsupervised_recycle_{X}": w.unsupervised_recycle
                    * distance(G_X(warp(fake, other_flow) + other_noise), warp(x, other_flow)),
                    f"cycle_{X}": w.cycle * distance(G_X(fake), x),
                    f"identity_{Y}": w.identity * distance(G_Y(y), y),
                    f"content_{X}": w.content * ((normalised(m.content(fake)) - normalised(m.content(x))) ** 2).mean(),
                }
            )
            shown = pools[Y].query(fake.detach())
            judgements.append({f"discriminator_{Y}": judge.real(D_Y(y)) + judge.fake(D_Y(shown))})
        generator_losses |= mean_over_batch(terms)
        discriminator_losses |= mean_over_batch(judgements)
    generator_losses = {key: loss for key, loss in generator_losses.items() if loss}
    return generator_losses, discriminator_losses if w.adversarial else {}


@pytest.mark.parametrize("adversarial_loss", ["lsgan", "vanilla", "hinge"])
@pytest.mark.parametrize("weights", [PUBLISHED, ALL, LABELS, SPATIAL], ids=["published", "all", "labels", "spatial"])
@pytest.mark.parametrize("networks", [NETWORKS, BATCH_NORM], ids=["instance", "batch"])
def test_step_equals_the_formulas(networks, weights, adversarial_loss):
    config = MethodConfig(networks, weights, adversarial_loss=adversarial_loss)
    assert_steps_are_literal("syntheticflow", config, literal_syntheticflow)


@pytest.mark.parametrize("networks", [NETWORKS, BATCH_NORM], ids=["instance", "batch"])
def test_step_equals_the_formulas_with_a_pool(networks):
    assert_steps_are_literal("syntheticflow", MethodConfig(networks, ALL, pool_size=3), literal_syntheticflow, steps=4)


def test_a_translation_that_follows_motion_has_no_unsupervised_loss_but_the_noise():
    """The identity in both directions: what is left is the noise, at most 0.002 deviation."""
    method = build("syntheticflow", MethodConfig(NETWORKS, LossWeights(unsupervised_spatial=1, unsupervised_recycle=1)))
    method.generator_ab, method.generator_ba = torch.nn.Identity(), torch.nn.Identity()
    _, losses = method.generator_losses(*windows(), FIRST)
    for term in ("unsupervised_spatial_a", "unsupervised_recycle_a", "unsupervised_spatial_b"):
        assert 0.0005 < losses[term].item() < 0.002


def test_motion_is_drawn_anew_in_every_step_and_the_seed_decides():
    method = build("syntheticflow", MethodConfig(NETWORKS, replace(PUBLISHED, content=0.0)))
    found = []
    for seed in (1, None, 1):
        if seed is not None:
            torch.manual_seed(seed)
        found.append(values(method.generator_losses(*windows(), FIRST)[1]))
    assert found[0] == found[2]
    assert found[0]["adversarial_ab"] == found[1]["adversarial_ab"]
    for term in ("unsupervised_spatial_a", "unsupervised_recycle_b"):
        assert found[0][term] != found[1][term]


def test_terms_of_weight_zero_cost_no_forward():
    """Of the published terms a generator sees a picture and the one after it there, and one back."""
    method, seen = build("syntheticflow"), []
    for generator in method.generators.values():
        generator.register_forward_hook(lambda module, args, output: seen.append(len(args[0])))
    method.generator_losses(*windows(batch=1), FIRST)
    assert sorted(seen) == [1, 1, 2, 2]


def test_content_compares_what_is_left_without_each_channels_mean_and_deviation():
    """Brighter features of more contrast are the same content."""
    method = build("syntheticflow", MethodConfig(NETWORKS, LossWeights(0.0, content=1.0)))
    a, b = windows()
    method.generator_ab = torch.nn.Identity()
    method.content = lambda pictures: pictures * 3 + 1 if torch.is_grad_enabled() else pictures
    _, losses = method.generator_losses(a, b, FIRST)
    assert losses["content_a"].item() < 1e-9


def test_missing_features_are_named():
    method = build("syntheticflow")
    method.content = None
    with pytest.raises(RuntimeError, match="content"):
        method.generator_losses(*windows(), FIRST)
