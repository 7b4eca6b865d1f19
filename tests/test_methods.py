"""Each method's stacked step against its formulas written out picture by picture, and the shape that all share."""

import copy
import json

import pytest
import torch

from recycle.config import LossWeights, MethodConfig, NetworkConfig
from recycle.history import HistoryPool
from recycle.methods import METHODS

torch.set_num_threads(1)
NETWORKS = NetworkConfig(size=32, generator_blocks=1, generator_filters=3, predictor_filters=3, discriminator_filters=3)
WEIGHTS = {
    "recyclegan": [
        LossWeights(recurrent=10.0, recycle=10.0),
        LossWeights(recurrent=10.0, recycle=10.0, predictor_adversarial=2.0),
        LossWeights(adversarial=0.5, recurrent=3.0, recycle=4.0, predictor_adversarial=2.0, cycle=5.0, identity=6.0),
        LossWeights(recurrent=10.0, cycle=10.0),
        LossWeights(adversarial=0.0, recycle=1.0),
    ],
    "cyclegan": [
        LossWeights(cycle=10.0, identity=5.0),
        LossWeights(adversarial=0.5, cycle=3.0),
        LossWeights(),
        LossWeights(adversarial=0.0, cycle=1.0, identity=1.0),
    ],
}
CASES = [(name, weights) for name, all_weights in WEIGHTS.items() for weights in all_weights]


def build(name: str, weights: LossWeights | None = None, pool_size: int = 0, seed: int = 0):
    """In float64, with weights larger than fresh ones, so that every bias and every term matters."""
    torch.manual_seed(seed)
    method = METHODS[name](MethodConfig(NETWORKS, weights or WEIGHTS[name][0], pool_size)).double()
    for parameter in method.parameters():
        parameter.data.mul_(3)
    return method


def windows(name: str, batch: int = 2, seed: int = 0, size: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (2, batch, METHODS[name].window, 3, size, size)
    a, b = torch.rand(shape, generator=generator, dtype=torch.float64) * 2 - 1
    return a, b


def distance(x, y):
    return (x - y).abs().mean()


def judged_real(scores):
    return ((scores - 1) ** 2).mean()


def judged_fake(scores):
    return (scores**2).mean()


def literal_recyclegan(m, w: LossWeights, x, y, X: str, Y: str) -> tuple[dict, list]:
    """X to Y for one pair of windows (3, 3, H, W), as the authors' table of terms reads; and the four fakes of Y."""
    G_Y, G_X = getattr(m, f"generator_{X}{Y}"), getattr(m, f"generator_{Y}{X}")
    P_Y, D_Y = getattr(m, f"predictor_{Y}"), getattr(m, f"discriminator_{Y}")
    x1, x2, x3, y1, y2, y3 = (frame[None] for frame in (*x, *y))
    fake1, fake2 = G_Y(x1), G_Y(x2)
    fake3 = P_Y(torch.cat([fake1, fake2], 1))
    predicted = P_Y(torch.cat([y1, y2], 1))
    losses = {
        f"adversarial_{X}{Y}": w.adversarial * sum(judged_real(D_Y(fake)) for fake in (fake1, fake2, fake3)),
        f"recurrent_{Y}": w.recurrent * distance(predicted, y3),
        f"recycle_{X}": w.recycle * distance(G_X(fake3), x3),
        f"predictor_adversarial_{Y}": w.predictor_adversarial * judged_real(D_Y(predicted)),
        f"cycle_{X}": w.cycle * (distance(G_X(fake1), x1) + distance(G_X(fake2), x2)),
        f"identity_{Y}": w.identity * (distance(G_Y(y1), y1) + distance(G_Y(y2), y2)),
    }
    return losses, [fake1, fake2, fake3, predicted]


def literal_cyclegan(m, w: LossWeights, x, y, X: str, Y: str) -> tuple[dict, list]:
    """X to Y for one pair of windows (1, 3, H, W), equations 1 and 2 and section 5.2; and the fake of Y."""
    G_Y, G_X = getattr(m, f"generator_{X}{Y}"), getattr(m, f"generator_{Y}{X}")
    fake = G_Y(x)
    losses = {
        f"adversarial_{X}{Y}": w.adversarial * judged_real(getattr(m, f"discriminator_{Y}")(fake)),
        f"cycle_{X}": w.cycle * distance(G_X(fake), x),
        f"identity_{Y}": w.identity * distance(G_Y(y), y),
    }
    return losses, [fake]


LITERAL = {"recyclegan": literal_recyclegan, "cyclegan": literal_cyclegan}
REAL_FRAME = {"recyclegan": (0, 1, 2, 2), "cyclegan": (0,)}
"""Which real frame each kind of fake is judged beside."""


def mean_over_batch(losses: list[dict]) -> dict:
    return {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}


def literal_step(name: str, method, a, b, pools: dict[str, HistoryPool]) -> tuple[dict, dict]:
    """Losses of the generators and of the discriminators."""
    generator_losses, discriminator_losses = {}, {}
    for x, y, X, Y in ((a, b, "a", "b"), (b, a, "b", "a")):
        pairs = [LITERAL[name](method, method.weights, x[i], y[i], X, Y) for i in range(len(x))]
        generator_losses |= mean_over_batch([losses for losses, _ in pairs])
        D_Y, total = getattr(method, f"discriminator_{Y}"), 0
        for kind, frame in enumerate(REAL_FRAME[name]):
            for i in range(len(x)):
                fake = pools[Y].query(pairs[i][1][kind].detach())
                real = y[i, frame][None]
                total = total + 0.5 * (judged_real(D_Y(real)) + judged_fake(D_Y(fake))) / len(x)
        discriminator_losses[f"discriminator_{Y}"] = total
    return generator_losses, discriminator_losses


def gradients(method, losses: dict) -> dict[str, torch.Tensor]:
    method.zero_grad()
    sum(losses.values()).backward()
    return {name: torch.zeros(1) if p.grad is None else p.grad.clone() for name, p in method.named_parameters()}


def assert_same(ours: dict, theirs: dict, networks) -> None:
    """Each network's gradient within 1e-5 of its length."""
    for name in networks:
        own = [key for key in ours if key.startswith(f"{name}.")]
        length = torch.stack([theirs[key].norm() for key in own]).norm()
        off = torch.stack([(ours[key] - theirs[key]).norm() for key in own]).norm()
        assert off <= 1e-5 * length, name


@pytest.mark.parametrize(("name", "weights"), CASES)
@pytest.mark.parametrize("pool_size", [0, 3])
def test_stacked_step_equals_the_formulas_picture_by_picture(name, weights, pool_size):
    method = build(name, weights, pool_size)
    pools = copy.deepcopy(method.pools)
    for step in range(3 if pool_size else 1):
        a, b = windows(name, seed=step)
        fakes, ours = method.generator_losses(a, b)
        ours_gradients = gradients(method, ours)
        ours_judged = method.discriminator_losses(a, b, fakes)
        ours_judged_gradients = gradients(method, ours_judged)

        theirs, theirs_judged = literal_step(name, method, a, b, pools)
        theirs = {key: value for key, value in theirs.items() if value}
        assert {k: v.item() for k, v in ours.items()} == pytest.approx(
            {k: v.item() for k, v in theirs.items()}, rel=1e-5
        )
        assert {k: v.item() for k, v in ours_judged.items()} == pytest.approx(
            {k: v.item() for k, v in theirs_judged.items()}, rel=1e-5
        )
        if theirs:
            trained = {n for n, _ in method.named_children()} - set(method.discriminators)
            assert_same(ours_gradients, gradients(method, theirs), trained)
        assert_same(ours_judged_gradients, gradients(method, theirs_judged), method.discriminators)


@pytest.fixture(params=METHODS)
def name(request):
    return request.param


def test_generator_losses_leave_no_gradient_in_the_discriminators(name):
    method = build(name)
    _, losses = method.generator_losses(*windows(name))
    sum(losses.values()).backward()
    assert all(p.grad is None and p.requires_grad for p in method.discriminator_parameters())
    assert all(p.grad is not None for p in method.generator_parameters())


def test_discriminator_losses_leave_no_gradient_in_the_generators(name):
    method = build(name)
    a, b = windows(name)
    fakes, _ = method.generator_losses(a, b)
    assert not any(fake.requires_grad for fake in fakes.values())
    sum(method.discriminator_losses(a, b, fakes).values()).backward()
    assert all(p.grad is None for p in method.generator_parameters())
    assert all(p.grad is not None for p in method.discriminator_parameters())


def test_every_parameter_belongs_to_one_half_of_the_step(name):
    method = build(name)
    halves = [id(p) for p in method.generator_parameters() + method.discriminator_parameters()]
    assert sorted(halves) == sorted(id(p) for p in method.parameters())


def test_terms_of_weight_zero_cost_no_forward():
    """Without cycle and identity a generator sees two frames there and one back."""
    method, seen = build("recyclegan"), []
    for generator in method.generators.values():
        generator.register_forward_hook(lambda module, args, output: seen.append(len(args[0])))
    method.generator_losses(*windows("recyclegan", batch=1))
    assert sorted(seen) == [1, 1, 2, 2]


def test_translate_keeps_mode_and_makes_no_gradient(name):
    method = build(name)
    a, _ = windows(name)
    for direction, generator in (("a_to_b", method.generator_ab), ("b_to_a", method.generator_ba)):
        result = method.translate(a[:, 0], direction)
        assert torch.equal(result, generator(a[:, 0]))
        assert not result.requires_grad
    assert method.training


def test_unknown_direction_is_refused(name):
    with pytest.raises(ValueError, match="b_to_c"):
        build(name).translate(windows(name)[0][:, 0], "b_to_c")


def test_samples_are_what_the_networks_make(name):
    method = build(name)
    a, b = windows(name)
    last = method.window - 1
    samples = method.samples(a, b)
    assert all(picture.shape == a[:, 0].shape and not picture.requires_grad for picture in samples.values())
    assert torch.equal(samples["a_source"], a[:, last])
    assert torch.equal(samples["a_translated"], method.translate(a[:, last], "a_to_b"))
    assert torch.equal(samples["b_reconstructed"], method.translate(samples["b_translated"], "a_to_b"))
    if name == "recyclegan":
        assert torch.equal(samples["b_predicted"], method.predictor_b(torch.cat([b[:, 0], b[:, 1]], 1)))


@pytest.mark.parametrize("frames", [1, 2, 4])
def test_recyclegan_refuses_windows_of_other_lengths(frames):
    wrong = torch.zeros(1, frames, 3, 32, 32, dtype=torch.float64)
    with pytest.raises(ValueError, match=f"windows of {frames} frames"):
        build("recyclegan").generator_losses(wrong, wrong)


def test_cyclegan_takes_the_first_frame_of_longer_windows():
    method = build("cyclegan")
    a, b = windows("recyclegan")
    _, long = method.generator_losses(a, b)
    _, short = method.generator_losses(a[:, :1], b[:, :1])
    assert {k: v.item() for k, v in long.items()} == {k: v.item() for k, v in short.items()}


def test_pools_go_on_where_they_were_saved(name):
    method, other = build(name, pool_size=3), build(name, pool_size=3)
    other.seed_pools(99)
    for seed in range(3):
        a, b = windows(name, seed=seed)
        fakes, _ = method.generator_losses(a, b)
        method.discriminator_losses(a, b, fakes)
    pictures, random_states = method.pool_state()
    other.load_pool_state(pictures, json.loads(json.dumps(random_states)))
    for seed in range(3, 8):
        a, b = windows(name, seed=seed)
        fakes, _ = method.generator_losses(a, b)
        ours, theirs = (each.discriminator_losses(a, b, fakes) for each in (method, other))
        assert {k: v.item() for k, v in ours.items()} == {k: v.item() for k, v in theirs.items()}


def test_pool_state_without_pools_is_empty(name):
    pictures, random_states = build(name).pool_state()
    assert not pictures
    build(name).load_pool_state(pictures, random_states)


def test_domains_and_processes_draw_apart(name):
    draws = []
    for seed in (0, 1):
        method = build(name, pool_size=2)
        method.seed_pools(seed)
        draws += [pool.state()[1] for pool in method.pools.values()]
    assert len({json.dumps(state) for state in draws}) == 4


def test_bfloat16_autocast_gives_float32_losses_near_the_exact_ones(name):
    method = build(name)
    a, b = windows(name)
    _, exact = method.generator_losses(a, b)
    method.float()
    with torch.autocast("cpu", torch.bfloat16):
        fakes, losses = method.generator_losses(a.float(), b.float())
        judged = method.discriminator_losses(a.float(), b.float(), fakes)
    sum(losses.values()).backward()
    sum(judged.values()).backward()
    assert all(loss.dtype == torch.float32 for loss in (losses | judged).values())
    assert {k: v.item() for k, v in losses.items()} == pytest.approx({k: v.item() for k, v in exact.items()}, rel=0.1)
