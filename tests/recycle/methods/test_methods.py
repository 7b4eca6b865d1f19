"""The shape that all methods share: whose gradients, samples, pools, precision."""

import json

import pytest
import torch
from lightning_fabric import Fabric

from recycle.config import TrainingConfig
from recycle.methods import METHODS
from recycle.training.learner import Learner
from tests.literal import FIRST, build, published, values, windows
from tests.recycle.methods.steps import one_step


@pytest.fixture(params=METHODS)
def name(request):
    return request.param


def test_a_step_shows_the_generators_frozen_discriminators_and_trains_both(name, monkeypatch):
    """The first half leaves no gradient in what it is judged by; the second moves it."""
    method = build(name)
    learner = Learner(method, TrainingConfig(steps=2), Fabric(accelerator="cpu", devices=1))
    judges, asked, shown = method.discriminator_parameters(), [], {}
    halves = {"generator_losses": method.generator_losses, "discriminator_losses": method.discriminator_losses}

    def watched(half):
        def losses(*args):
            asked.append([p.requires_grad for p in judges])
            shown[half] = [p.grad for p in judges]
            return halves[half](*args)

        return losses

    for half in halves:
        monkeypatch.setattr(method, half, watched(half))
    before = [p.detach().clone() for p in method.parameters()]
    learner.step(FIRST, 1e-3, *windows(method.window))
    assert asked == [[False] * len(judges), [True] * len(judges)]
    assert all(gradient is None for gradient in shown["discriminator_losses"])
    assert all(p.grad is not None for p in method.parameters())
    moved = sum(not torch.equal(p, old) for p, old in zip(method.parameters(), before, strict=True))
    assert moved > 0.9 * len(before)  # what stands before a norm, a bias for one, has no gradient


def test_discriminator_losses_leave_no_gradient_in_the_generators(name):
    method = build(name)
    a, b = windows(method.window)
    fakes, _ = method.generator_losses(a, b, FIRST)
    assert not any(fake.requires_grad for fake in fakes.values())
    sum(method.discriminator_losses(a, b, fakes, FIRST).values()).backward()
    assert all(p.grad is None for p in method.generator_parameters())
    assert all(p.grad is not None for p in method.discriminator_parameters())


def test_every_parameter_belongs_to_one_half_of_the_step(name):
    method = build(name)
    halves = [id(p) for p in method.generator_parameters() + method.discriminator_parameters()]
    assert sorted(halves) == sorted(id(p) for p in method.parameters())


def test_losses_are_named_alike_in_every_step(name):
    method = build(name, published(name, pool_size=2))
    assert one_step(method).keys() == one_step(method).keys()


def test_translate_keeps_mode_and_makes_no_gradient(name):
    method = build(name)
    a, _ = windows()
    for direction in ("a_to_b", "b_to_a"):
        if direction not in method.ways:
            with pytest.raises(ValueError, match=direction):
                method.translate(a[:, 0], direction)
            continue
        result = method.translate(a[:, 0], direction)
        assert torch.equal(result, method.translator(direction).eval()(a[:, 0]))
        method.train()
        assert not result.requires_grad
    assert method.training


def test_unknown_direction_is_refused(name):
    with pytest.raises(ValueError, match="b_to_c"):
        build(name).translate(windows()[0][:, 0], "b_to_c")


def test_samples_are_what_the_networks_make(name):
    method = build(name)
    a, b = windows(method.window)
    sources = {"a": a[:, -1], "b": b[:, -1]}
    samples = method.samples(a, b)
    assert all(picture.shape == sources["a"].shape and not picture.requires_grad for picture in samples.values())
    for domain, other in (("a", "b"), ("b", "a")):
        if f"{domain}_to_{other}" not in method.ways:
            assert not any(key.startswith(f"{domain}_") for key in samples)
            continue
        assert torch.equal(samples[f"{domain}_source"], sources[domain])
        translated = method.translate(sources[domain], f"{domain}_to_{other}")
        assert torch.equal(samples[f"{domain}_translated"], translated)
        if f"{domain}_reconstructed" in samples:
            back = method.back(translated, sources[domain], f"{domain}_to_{other}")
            assert torch.equal(samples[f"{domain}_reconstructed"], back)


def test_pools_go_on_where_they_were_saved(name):
    method, other = (build(name, published(name, pool_size=3)) for _ in range(2))
    other.seed_pools(99)
    for seed in range(3):
        a, b = windows(method.window, seed=seed)
        fakes, _ = method.generator_losses(a, b, FIRST)
        method.discriminator_losses(a, b, fakes, FIRST)
    pictures, random_states = method.pool_state()
    other.load_pool_state(pictures, json.loads(json.dumps(random_states)))
    for seed in range(3, 8):
        a, b = windows(method.window, seed=seed)
        fakes, _ = method.generator_losses(a, b, FIRST)
        judged = []
        for each in (method, other):
            torch.manual_seed(seed)  # codes and places between pictures are drawn
            judged.append(values(each.discriminator_losses(a, b, fakes, FIRST)))
        assert judged[0] == judged[1]


def test_pool_state_without_pools_is_empty(name):
    pictures, random_states = build(name).pool_state()
    assert not pictures
    build(name).load_pool_state(pictures, random_states)


def test_domains_and_processes_draw_apart(name):
    draws = []
    for seed in (0, 1):
        method = build(name, published(name, pool_size=2))
        method.seed_pools(seed)
        draws += [pool.state()[1] for pool in method.pools.values()]
    assert len(draws) >= 2
    assert len({json.dumps(state) for state in draws}) == len(draws)


def test_bfloat16_autocast_gives_float32_losses_near_the_exact_ones(name):
    method = build(name)
    a, b = windows(method.window)
    torch.manual_seed(1)
    _, exact = method.generator_losses(a, b, FIRST)
    method.float()
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16):
        fakes, losses = method.generator_losses(a.float(), b.float(), FIRST)
        judged = method.discriminator_losses(a.float(), b.float(), fakes, FIRST)
    sum(losses.values()).backward()
    sum(judged.values()).backward()
    assert all(loss.dtype == torch.float32 for loss in (losses | judged).values())
    assert values(losses) == pytest.approx(values(exact), rel=0.1)
