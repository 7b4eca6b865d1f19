"""pix2pix's step against its formulas, and what belongs to pairs."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recycle.config import LossWeights, MethodConfig
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.methods.history import HistoryPool
from tests.literal import FIRST, NETWORKS, build, distance, judged, mean_over_batch, windows
from tests.recycle.methods.steps import BATCH_NORM, Losses, alone_or_together, assert_steps_are_literal

PUBLISHED = LossWeights(l1=100.0)


def literal_pix2pix(
    m: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[Losses, Losses]:
    """Equations 1 and 3 of the paper."""
    w, judge, D = config.weights, judged(config.adversarial_loss), m.discriminator_b
    generator_losses, discriminator_losses = [], []
    for x, y in alone_or_together(config, a[:, 0], b[:, 0]):
        fake = m.generator_ab(x)
        of_fake, of_real = torch.cat([x, fake], 1), torch.cat([x, y], 1)
        generator_losses.append(
            {"adversarial_ab": w.adversarial * judge.generator(D(of_fake)), "l1_b": w.l1 * distance(y, fake)}
        )
        shown = pools["b"].query(of_fake.detach())
        discriminator_losses.append({"discriminator_b": judge.real(D(of_real)) + judge.fake(D(shown))})
    terms = {key: loss for key, loss in mean_over_batch(generator_losses).items() if loss}
    return terms, mean_over_batch(discriminator_losses) if w.adversarial else {}


@pytest.mark.parametrize("adversarial_loss", ["lsgan", "vanilla", "hinge"])
@pytest.mark.parametrize("weights", [PUBLISHED, LossWeights(0.5), LossWeights(0.0, l1=1.0)])
@pytest.mark.parametrize("networks", [NETWORKS, BATCH_NORM], ids=["instance", "batch"])
def test_step_equals_the_formulas(networks, weights, adversarial_loss):
    config = MethodConfig(networks, weights, adversarial_loss=adversarial_loss)
    assert_steps_are_literal("pix2pix", config, literal_pix2pix)


@pytest.mark.parametrize("networks", [NETWORKS, BATCH_NORM], ids=["instance", "batch"])
def test_step_equals_the_formulas_with_a_pool_of_pairs(networks):
    """Pairs that come back are old sources with what was made of them."""
    config = MethodConfig(networks, PUBLISHED, adversarial_loss="vanilla", pool_size=3)
    assert_steps_are_literal("pix2pix", config, literal_pix2pix, steps=4)


def test_pairs_are_kept_together_in_the_pool():
    method = build("pix2pix", MethodConfig(NETWORKS, PUBLISHED, pool_size=8))
    a, b = windows()
    fakes, _ = method.generator_losses(a, b, FIRST)
    method.discriminator_losses(a, b, fakes, FIRST)
    pictures, _ = method.pool_state()
    assert torch.equal(pictures["b"], torch.cat([a[:, 0], method.generator_ab(a[:, 0])], 1))


def test_the_discriminator_knows_what_it_was_made_from():
    """The same pictures with their sources exchanged are no real pairs."""
    method = build("pix2pix", MethodConfig(NETWORKS, PUBLISHED))
    a, b = windows()
    fakes, _ = method.generator_losses(a, b, FIRST)
    pairs, strangers = (method.discriminator_losses(x, b, fakes, FIRST)["discriminator_b"] for x in (a, a.flip(0)))
    assert pairs.item() != pytest.approx(strangers.item(), rel=1e-3)
    assert METHODS["pix2pix"].load().paired


def test_published_networks_train_on_one_picture_and_render_the_same_every_time():
    """U-Net, BatchNorm over one picture, dropout: dropout draws in training and never in rendering."""
    config, _ = METHODS["pix2pix"].defaults("tiny")
    assert (config.networks.norm, config.networks.dropout, config.networks.generator) == ("batch", True, "unet")
    method = METHODS["pix2pix"](replace(config, networks=replace(config.networks, size=32)))
    a, b = (window.float() for window in windows(batch=1))
    fakes, losses = method.generator_losses(a, b, FIRST)
    again, _ = method.generator_losses(a, b, FIRST)
    assert not torch.equal(fakes["b"], again["b"])
    sum((losses | method.discriminator_losses(a, b, fakes, FIRST)).values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in method.generator_parameters())
    one, two = method.translate(a[:, 0], "a_to_b"), method.translate(torch.cat([a[:, 0], b[:, 0]]), "a_to_b")
    torch.testing.assert_close(one[0], two[0])


def test_samples_show_the_pair():
    method = build("pix2pix")
    a, b = windows()
    samples = method.samples(a, b)
    assert list(samples) == ["a_source", "a_translated", "a_pair"]
    assert torch.equal(samples["a_pair"], b[:, 0])


def test_without_an_adversarial_term_the_discriminator_sees_nothing():
    method = build("pix2pix", MethodConfig(NETWORKS, LossWeights(0.0, l1=1.0), pool_size=3))
    method.discriminator_b.register_forward_hook(lambda *_: pytest.fail("the discriminator was asked"))
    a, b = windows()
    fakes, losses = method.generator_losses(a, b, FIRST)
    assert list(losses) == ["l1_b"]
    assert method.discriminator_losses(a, b, fakes, FIRST) == {}
    assert not method.pool_state()[0]
