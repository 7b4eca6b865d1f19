"""The stacked steps of Recycle-GAN and CycleGAN against their formulas written out picture by picture."""

import copy
from dataclasses import replace

import pytest
import torch

from recycle.config import LossWeights, MethodConfig
from recycle.methods.losses import ADVERSARIAL
from tests.literal import (
    FIRST,
    NETWORKS,
    assert_same,
    build,
    distance,
    gradients,
    judged,
    literal_step,
    values,
    windows,
)
from tests.recycle.methods.steps import one_step

RECYCLEGAN_ALL = LossWeights(
    adversarial=0.5, recurrent=3.0, recycle=4.0, predictor_adversarial=2.0, cycle=5.0, identity=6.0
)
CYCLEGAN = LossWeights(cycle=10.0, identity=5.0)
CASES = {
    "recyclegan-published": ("recyclegan", MethodConfig(NETWORKS, LossWeights(recurrent=10.0, recycle=10.0))),
    "recyclegan-all": ("recyclegan", MethodConfig(NETWORKS, RECYCLEGAN_ALL)),
    "recyclegan-no-recycle": ("recyclegan", MethodConfig(NETWORKS, LossWeights(recurrent=10.0, cycle=10.0))),
    "recyclegan-recycle-alone": ("recyclegan", MethodConfig(NETWORKS, LossWeights(adversarial=0.0, recycle=1.0))),
    "recyclegan-judged-predictions-alone": (
        "recyclegan",
        MethodConfig(NETWORKS, LossWeights(adversarial=0.0, recurrent=1.0, predictor_adversarial=1.0)),
    ),
    "recyclegan-window-5": ("recyclegan", MethodConfig(NETWORKS, RECYCLEGAN_ALL, window=5)),
    "cyclegan-published": ("cyclegan", MethodConfig(NETWORKS, CYCLEGAN)),
    "cyclegan-adversarial-alone": ("cyclegan", MethodConfig(NETWORKS, LossWeights())),
    "cyclegan-cycle-alone": ("cyclegan", MethodConfig(NETWORKS, LossWeights(adversarial=0.0, cycle=1.0))),
    "cyclegan-forward": ("cyclegan", MethodConfig(NETWORKS, CYCLEGAN, cycle_direction="forward")),
    "cyclegan-backward": ("cyclegan", MethodConfig(NETWORKS, CYCLEGAN, cycle_direction="backward")),
}


def assert_step_is_literal(name, config, steps=1):
    """Losses and every network's gradient within 1e-5 in each of `steps` steps, over which pools fill."""
    method = build(name, config)
    pools = copy.deepcopy(method.pools)
    for step in range(steps):
        a, b = windows(method.window, seed=step)
        fakes, ours = method.generator_losses(a, b, FIRST)
        ours_gradients = gradients(method, ours)
        ours_judged = method.discriminator_losses(a, b, fakes, FIRST)
        ours_judged_gradients = gradients(method, ours_judged)

        theirs, theirs_judged = literal_step(name, method, config, a, b, pools)
        assert values(ours) == pytest.approx(values(theirs), rel=1e-5)
        assert values(ours_judged) == pytest.approx(values(theirs_judged), rel=1e-5)
        trained = {n for n, _ in method.named_children()} - set(method.discriminators)
        assert_same(ours_gradients, gradients(method, theirs), trained)
        assert_same(ours_judged_gradients, gradients(method, theirs_judged), method.discriminators)


@pytest.mark.parametrize(
    ("case", "adversarial_loss"),
    [(c, loss) for c in CASES for loss in ADVERSARIAL if loss == "lsgan" or CASES[c][1].weights.adversarial],
)
def test_stacked_step_equals_the_formulas_picture_by_picture(case, adversarial_loss):
    name, config = CASES[case]
    assert_step_is_literal(name, replace(config, adversarial_loss=adversarial_loss))


@pytest.mark.parametrize("adversarial_loss", ADVERSARIAL)
@pytest.mark.parametrize(
    ("case", "steps"), [("recyclegan-all", 2), ("recyclegan-window-5", 1), ("cyclegan-published", 3)]
)
def test_stacked_step_equals_the_formulas_with_a_pool(case, steps, adversarial_loss):
    """The pool is full within the steps, so that old fakes come back."""
    name, config = CASES[case]
    assert_step_is_literal(name, replace(config, adversarial_loss=adversarial_loss, pool_size=3), steps)


@pytest.mark.parametrize("pool_size", [0, 3])
@pytest.mark.parametrize("case", ["recyclegan-all", "recyclegan-window-5", "cyclegan-published"])
def test_under_batch_norm_each_kind_of_picture_has_its_own_statistics(case, pool_size):
    name, config = CASES[case]
    config = replace(config, networks=replace(NETWORKS, norm="batch"), pool_size=pool_size)
    assert_step_is_literal(name, config, steps=2 if name == "cyclegan" else 1)


@pytest.mark.parametrize("name", ["recyclegan", "cyclegan"])
def test_stacking_under_batch_norm_would_give_other_numbers(name):
    """So the test above can fail: with the kinds in one forward nearly every loss is off."""
    method = build(name, MethodConfig(replace(NETWORKS, norm="batch"), CASES[f"{name}-published"][1].weights))
    a, b = windows(method.window)
    fakes, apart = method.generator_losses(a, b, FIRST)
    apart |= method.discriminator_losses(a, b, fakes, FIRST)
    method.through = lambda network, kinds: dict(
        zip(kinds, network(torch.cat(list(kinds.values()))).chunk(len(kinds)), strict=True)
    )
    _, stacked = method.generator_losses(a, b, FIRST)
    stacked |= method.discriminator_losses(a, b, fakes, FIRST)
    for key in ("adversarial_ab", "discriminator_b"):
        assert stacked[key].item() != pytest.approx(apart[key].item(), rel=1e-4), key


def test_a_window_of_five_is_the_sum_of_its_steps():
    """All of A to B by hand: four translated frames, three predictions from them, three from real ones."""
    config = CASES["recyclegan-window-5"][1]
    m = build("recyclegan", config)
    a, b = windows(5)
    x1, x2, x3, x4, x5 = a.unbind(1)
    y1, y2, y3, y4, y5 = b.unbind(1)
    there, back, predict, judge = m.generator_ab, m.generator_ba, m.predictor_b, m.discriminator_b
    f1, f2, f3, f4 = there(x1), there(x2), there(x3), there(x4)

    def third(first, second):
        return predict(torch.cat([first, second], 1))

    s3, s4, s5 = third(f1, f2), third(f2, f3), third(f3, f4)
    p3, p4, p5 = third(y1, y2), third(y2, y3), third(y3, y4)
    real = judged("lsgan").generator
    expected = {
        "adversarial_ab": 0.5 * sum(real(judge(fake)) for fake in (f1, f2, f3, f4, s3, s4, s5)),
        "recurrent_b": 3 * (distance(p3, y3) + distance(p4, y4) + distance(p5, y5)),
        "recycle_a": 4 * (distance(back(s3), x3) + distance(back(s4), x4) + distance(back(s5), x5)),
        "predictor_adversarial_b": 2 * (real(judge(p3)) + real(judge(p4)) + real(judge(p5))),
        "cycle_a": 5 * sum(distance(back(f), x) for f, x in ((f1, x1), (f2, x2), (f3, x3), (f4, x4))),
        "identity_b": 6 * sum(distance(there(y), y) for y in (y1, y2, y3, y4)),
    }
    fakes, ours = m.generator_losses(a, b, FIRST)
    assert {key: ours[key].item() for key in expected} == pytest.approx(values(expected), rel=1e-10)
    torch.testing.assert_close(fakes["b"], torch.cat([f1, f2, f3, f4, s3, s4, s5, p3, p4, p5]).detach())
    pairs = [(y1, f1), (y2, f2), (y3, f3), (y4, f4), (y3, s3), (y4, s4), (y5, s5), (y3, p3), (y4, p4), (y5, p5)]
    expected_judged = sum(((judge(y) - 1) ** 2).mean() / 2 + (judge(f) ** 2).mean() / 2 for y, f in pairs)
    assert m.discriminator_losses(a, b, fakes, FIRST)["discriminator_b"].item() == pytest.approx(expected_judged.item())


@pytest.mark.parametrize(
    ("case", "changes", "gone"),
    [
        ("cyclegan-published", {"cycle_direction": "forward"}, {"cycle_b"}),
        ("cyclegan-published", {"cycle_direction": "backward"}, {"cycle_a"}),
        ("cyclegan-published", {"cycle": 0.0}, {"cycle_a", "cycle_b"}),
        ("cyclegan-published", {"identity": 0.0}, {"identity_a", "identity_b"}),
        (
            "cyclegan-published",
            {"adversarial": 0.0},
            {"adversarial_ab", "adversarial_ba", "discriminator_a", "discriminator_b"},
        ),
        ("recyclegan-all", {"adversarial": 0.0}, {"adversarial_ab", "adversarial_ba"}),
        ("recyclegan-all", {"recurrent": 0.0}, {"recurrent_a", "recurrent_b"}),
        ("recyclegan-all", {"recycle": 0.0}, {"recycle_a", "recycle_b"}),
        ("recyclegan-all", {"predictor_adversarial": 0.0}, {"predictor_adversarial_a", "predictor_adversarial_b"}),
        ("recyclegan-all", {"cycle": 0.0}, {"cycle_a", "cycle_b"}),
        ("recyclegan-all", {"identity": 0.0}, {"identity_a", "identity_b"}),
        (
            "recyclegan-published",
            {"adversarial": 0.0},
            {"adversarial_ab", "adversarial_ba", "discriminator_a", "discriminator_b"},
        ),
    ],
)
def test_a_switch_takes_away_the_terms_that_it_names_and_leaves_the_others_as_they_are(case, changes, gone):
    name, config = CASES[case]
    terms = {key: value for key, value in changes.items() if hasattr(config.weights, key)}
    options = {key: value for key, value in changes.items() if key not in terms}
    changed = replace(config, weights=replace(config.weights, **terms), **options)
    before, after = (one_step(build(name, each)) for each in (config, changed))
    assert after.keys() == before.keys() - gone
    assert gone <= before.keys()
    assert after == {key: before[key] for key in after}


def test_without_an_adversarial_term_the_discriminators_see_nothing():
    for name, weights in (("recyclegan", LossWeights(0.0, recycle=1.0)), ("cyclegan", LossWeights(0.0, cycle=1.0))):
        method = build(name, MethodConfig(NETWORKS, weights, pool_size=3))
        for discriminator in method.discriminators.values():
            discriminator.register_forward_hook(lambda *_: pytest.fail("a discriminator was asked"))
        a, b = windows(method.window)
        fakes, _ = method.generator_losses(a, b, FIRST)
        assert method.discriminator_losses(a, b, fakes, FIRST) == {}


@pytest.mark.parametrize("window", [3, 5])
def test_terms_of_weight_zero_cost_no_forward(window):
    """Without cycle and identity a generator sees all frames but the last there and the predicted ones back."""
    method, seen = build("recyclegan", replace(CASES["recyclegan-published"][1], window=window)), []
    for generator in method.generators.values():
        generator.register_forward_hook(lambda module, args, output: seen.append(len(args[0])))
    method.generator_losses(*windows(window, batch=1), FIRST)
    assert sorted(seen) == [window - 2, window - 2, window - 1, window - 1]


@pytest.mark.parametrize("window", [3, 5])
def test_discriminators_see_each_real_frame_once(window):
    method, seen = build("recyclegan", replace(CASES["recyclegan-published"][1], window=window)), []
    a, b = windows(window)
    fakes, _ = method.generator_losses(a, b, FIRST)
    method.discriminator_b.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    method.discriminator_losses(a, b, fakes, FIRST)
    assert torch.equal(torch.cat(seen), torch.cat([*b.unbind(1), fakes["b"]]))


@pytest.mark.parametrize(("window", "frames"), [(3, 1), (3, 2), (3, 4), (5, 3)])
def test_recyclegan_refuses_windows_of_other_lengths(window, frames):
    wrong = torch.zeros(1, frames, 3, 32, 32, dtype=torch.float64)
    method = build("recyclegan", replace(CASES["recyclegan-published"][1], window=window))
    with pytest.raises(ValueError, match=f"windows of {frames} frames: recyclegan trains on {window}"):
        method.generator_losses(wrong, wrong, FIRST)


def test_cyclegan_takes_the_first_frame_of_longer_windows():
    method = build("cyclegan")
    a, b = windows(3)
    _, long = method.generator_losses(a, b, FIRST)
    _, short = method.generator_losses(a[:, :1], b[:, :1], FIRST)
    assert values(long) == values(short)


@pytest.mark.parametrize("window", [3, 5])
def test_recyclegan_samples_show_the_last_frame_predicted_from_the_two_before(window):
    method = build("recyclegan", replace(CASES["recyclegan-published"][1], window=window))
    a, b = windows(window)
    samples = method.samples(a, b)
    assert torch.equal(samples["a_source"], a[:, window - 1])
    for domain, frames, predictor in (("a", a, method.predictor_a), ("b", b, method.predictor_b)):
        expected = predictor(torch.cat([frames[:, window - 3], frames[:, window - 2]], 1))
        assert torch.equal(samples[f"{domain}_predicted"], expected)
