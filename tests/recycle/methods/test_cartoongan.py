"""CartoonGAN against its formulas written out, and its initial phase."""

import copy
from dataclasses import replace

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor

from recycle.config import LossWeights, MethodConfig, TrainingConfig
from recycle.methods.base import Method, Moment
from recycle.methods.edges import smooth_edges
from recycle.methods.history import HistoryPool
from recycle.runs.checkpoint import load_newest, save
from recycle.training.learner import Learner
from tests.literal import FIRST, NETWORKS, build, distance, judged, mean_over_batch, values, windows
from tests.recycle.methods.steps import BATCH_NORM, Losses, alone_or_together, assert_steps_are_literal

torch.set_num_threads(1)
PUBLISHED = LossWeights(content=10.0, edge=1.0)
INITIAL = MethodConfig(NETWORKS, PUBLISHED, adversarial_loss="vanilla", initial_steps=2, pool_size=3)


def literal_cartoongan(
    m: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[Losses, Losses]:
    """Equations 3 and 4 of the paper, after the initial phase."""
    w, judge, D = config.weights, judged(config.adversarial_loss), m.discriminator_b
    generator_losses, discriminator_losses = [], []
    for x, y in alone_or_together(config, a[:, 0], b[:, 0]):
        fake = m.generator_ab(x)
        generator_losses.append(
            {
                "adversarial_ab": w.adversarial * judge.generator(D(fake)),
                "content_a": w.content * distance(m.content(fake), m.content(x)),
            }
        )
        loss = judge.real(D(y)) + judge.fake(D(pools["b"].query(fake.detach())))
        discriminator_losses.append({"discriminator_b": loss + w.edge * judge.fake(D(smooth_edges(y)))})
    terms = {key: loss for key, loss in mean_over_batch(generator_losses).items() if loss}
    return terms, mean_over_batch(discriminator_losses) if w.adversarial else {}


@pytest.mark.parametrize("adversarial_loss", ["lsgan", "vanilla", "hinge"])
@pytest.mark.parametrize(
    "weights", [PUBLISHED, LossWeights(0.5, content=3.0, edge=2.0), LossWeights(), LossWeights(0.0, content=1.0)]
)
@pytest.mark.parametrize("networks", [NETWORKS, BATCH_NORM], ids=["instance", "batch"])
def test_step_equals_the_formulas(networks, weights, adversarial_loss):
    config = MethodConfig(networks, weights, adversarial_loss=adversarial_loss)
    assert_steps_are_literal("cartoongan", config, literal_cartoongan)


@pytest.mark.parametrize("networks", [NETWORKS, BATCH_NORM], ids=["instance", "batch"])
def test_step_equals_the_formulas_with_a_pool(networks):
    config = MethodConfig(networks, PUBLISHED, adversarial_loss="vanilla", pool_size=3)
    assert_steps_are_literal("cartoongan", config, literal_cartoongan, steps=4)


def test_smoothed_cartoons_are_judged_and_differ_from_the_cartoons():
    method, seen = build("cartoongan"), []
    a, b = windows()
    fakes, _ = method.generator_losses(a, b, FIRST)
    method.discriminator_b.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    method.discriminator_losses(a, b, fakes, FIRST)
    real, fake, edge = torch.cat(seen).chunk(3)
    assert torch.equal(real, b[:, 0])
    assert torch.equal(fake, fakes["b"])
    assert torch.equal(edge, smooth_edges(b[:, 0]))
    assert not torch.equal(edge, real)


def moment(step: int) -> Moment:
    return Moment(step, progress=(step - 1) / 4)


def step(method: Method, number: int = 1) -> dict[str, Tensor]:
    a, b = windows(seed=number)
    fakes, losses = method.generator_losses(a, b, moment(number))
    return losses | method.discriminator_losses(a, b, fakes, moment(number))


def test_the_initial_phase_trains_the_content_term_alone():
    method, asked = build("cartoongan", INITIAL), []
    method.discriminator_b.register_forward_hook(lambda *_: asked.append(len(losses)))
    losses: list[dict[str, Tensor]] = []
    for number in range(1, 5):
        losses.append(step(method, number))
    assert [list(each) for each in losses] == [["adversarial_ab", "content_a", "discriminator_b"]] * 4
    for each in losses[:2]:
        assert each["adversarial_ab"] == each["discriminator_b"] == 0
        assert not each["adversarial_ab"].requires_grad
        assert not each["discriminator_b"].requires_grad
        assert each["content_a"].requires_grad
    for each in losses[2:]:
        assert all(loss > 0 and loss.requires_grad for loss in each.values())
    assert set(asked) == {2, 3}
    assert len(method.pool_state()[0]["b"]) == 3  # what the phase made was never shown, and is not kept


@pytest.mark.parametrize("weights", [LossWeights(edge=1.0), LossWeights(0.0, content=1.0)])
def test_without_its_terms_there_is_no_initial_phase(weights):
    losses = step(build("cartoongan", replace(INITIAL, weights=weights)))
    assert all(loss > 0 and loss.requires_grad for loss in losses.values())


@pytest.mark.parametrize("counted", [False, True], ids=["as now", "as when weights held a counter"])
def test_the_phase_goes_on_where_it_was_saved(tmp_path, counted):
    """Through the learner and a checkpoint: weights, discriminator and losses are those of a run never stopped."""

    def learner() -> Learner:
        method = build("cartoongan", INITIAL)
        return Learner(method, TrainingConfig(steps=4), Fabric(accelerator="cpu", devices=1))

    def go_on(trained: Learner, numbers: range) -> list[dict[str, float]]:
        return [values(trained.step(moment(number), 1e-3, *windows(seed=number))) for number in numbers]

    whole, parts = learner(), learner()
    before = copy.deepcopy(whole.method.discriminator_b.state_dict())
    expected = go_on(whole, range(1, 3))
    after = whole.method.discriminator_b.state_dict()
    assert all(torch.equal(after[key], before[key]) for key in before)
    expected += go_on(whole, range(3, 5))
    assert any(not torch.equal(after[key], before[key]) for key in before)

    found = go_on(parts, range(1, 2))
    groups, state = parts.snapshot()
    assert not any(name.startswith("steps") for name in groups["weights"])
    if counted:
        groups["weights"] = groups["weights"] | {"steps": torch.tensor(1)}
    save(tmp_path, 1, groups, state, keep=1)
    again = learner()
    again.restore(load_newest(tmp_path))
    assert found + go_on(again, range(2, 5)) == expected
    assert expected[1]["discriminators"] == 0 < expected[2]["discriminators"]


def test_missing_features_are_named():
    method = build("cartoongan")
    method.content = None
    with pytest.raises(RuntimeError, match="content"):
        method.generator_losses(*windows(), FIRST)
    without = build("cartoongan", MethodConfig(NETWORKS, LossWeights(edge=1.0)))
    without.content = None
    assert list(step(without)) == ["adversarial_ab", "discriminator_b"]
