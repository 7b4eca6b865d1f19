"""Steps of stargan and combogan of three domains against their formulas, picture by picture; a domain that is added."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recycle.config import MethodConfig
from recycle.methods import METHODS
from recycle.methods.base import Moment
from tests.literal import NETWORKS, assert_same, distance, gradients, judged, mean_over_batch, values, windows

NETWORKS = replace(NETWORKS, generator="resnet_2blocks")


def build(name: str, domains: int = 3, kept: int = 0, **changes):
    row = METHODS[name]
    own = dict(row.own) | ({"critic_steps": 2.0} if row.own else {})
    config = MethodConfig(NETWORKS, row.weights, adversarial_loss=row.adversarial_loss, own=own)
    config = replace(config, **changes)
    torch.manual_seed(0)
    method = row(config, domains, kept).double()
    for parameter in method.parameters():
        parameter.data.mul_(1.5 if name == "stargan" else 3)
    return method, config


def three(seed: int = 0, batch: int = 2) -> list[Tensor]:
    return [windows(seed=seed + k, batch=batch)[0] for k in range(3)]


def literal_stargan(m, config, given: list[Tensor], moment: Moment) -> tuple[dict, dict]:
    """Equations 2 to 4 and 8, a picture at a time."""
    w, N = config.weights, len(given)
    x = [(picture[None], domain) for domain, of_domain in enumerate(given) for picture in of_domain[:, 0]]
    order = torch.randperm(len(x))

    def label(domain: int) -> Tensor:
        return torch.eye(N, dtype=torch.float64)[domain][None]

    made, judgements, fakes = [], [], []
    for (picture, own), k in zip(x, order, strict=True):
        wanted = x[int(k)][1]
        fake = m.generator(picture, label(wanted))
        fakes.append(fake.detach())
        score, logits = m.discriminator(fake)
        made.append(
            {
                "adversarial_all": w.adversarial * -score.mean(),
                "classification_all": w.classification * -torch.log_softmax(logits, 1)[0, wanted],
                "cycle_all": w.cycle * distance(m.generator(fake, label(own)), picture),
            }
        )
    generator = mean_over_batch(made) if moment.step % int(config.own["critic_steps"]) == 0 else {}
    parts = torch.rand(len(x), 1, 1, 1).double()
    for (picture, own), fake, part in zip(x, fakes, parts, strict=True):
        real, logits = m.discriminator(picture)
        between = (part * picture + (1 - part) * fake).requires_grad_()
        (slope,) = torch.autograd.grad(m.discriminator(between)[0].sum(), between, create_graph=True)
        judgements.append(
            {
                "discriminator_all": w.adversarial * (m.discriminator(fake)[0].mean() - real.mean()),
                "real_classification_all": w.classification * -torch.log_softmax(logits, 1)[0, own],
                "gradient_penalty_all": w.gradient_penalty * (slope.square().sum().sqrt() - 1) ** 2,
            }
        )
    return generator, mean_over_batch(judgements)


def literal_combogan(m, config, given: list[Tensor], moment: Moment) -> tuple[dict, dict]:
    """CycleGAN's equations 1 and 2 between the two domains of the step."""
    w, judge = config.weights, judged(config.adversarial_loss)
    X, Y = m.pair(moment.step)
    made, judgements = [], []
    for k in range(len(given[0])):
        terms, of_judges = {}, {}
        for name, here, there in (("there", X, Y), ("back", Y, X)):
            x, y = (given["abc".index(domain)][k : k + 1, 0] for domain in (here, there))
            E_X, R_X, E_Y, R_Y = (
                getattr(m, f"{half}_{domain}") for domain in (here, there) for half in ("encoder", "decoder")
            )
            D_Y = getattr(m, f"discriminator_{there}")
            fake = R_Y(E_X(x))
            terms[f"adversarial_{name}"] = w.adversarial * judge.generator(D_Y(fake))
            terms[f"cycle_{name}"] = w.cycle * distance(R_X(E_Y(fake)), x)
            if w.identity:
                terms[f"identity_{name}"] = w.identity * distance(R_Y(E_Y(y)), y)
            of_judges[f"discriminator_{name}"] = judge.real(D_Y(y)) + judge.fake(D_Y(fake.detach()))
        made.append(terms)
        judgements.append(of_judges)
    return mean_over_batch(made), mean_over_batch(judgements)


@pytest.mark.parametrize(
    ("name", "literal", "changes"),
    [
        ("stargan", literal_stargan, {}),
        ("combogan", literal_combogan, {}),
        ("combogan", literal_combogan, {"weights": replace(METHODS["combogan"].weights, identity=2.0)}),
    ],
)
def test_steps_of_three_domains_equal_the_formulas(name, literal, changes):
    method, config = build(name, **changes)
    for step in (1, 2, 3, 4):
        given, moment = three(seed=10 * step), Moment(step, 0.0)
        torch.manual_seed(step)
        fakes, ours = method.generator_losses(*given, moment)
        asked = {key: loss for key, loss in ours.items() if loss.requires_grad}
        ours_gradients = gradients(method, asked)
        judged_losses = method.discriminator_losses(*given, fakes, moment)
        judged_gradients = gradients(method, judged_losses)
        torch.manual_seed(step)
        theirs, theirs_judged = literal(method, config, given, moment)
        assert values(asked) == pytest.approx(values(theirs), rel=1e-5)
        assert values(judged_losses) == pytest.approx(values(theirs_judged), rel=1e-5)
        trained = [
            n for n in method.generators if ours_gradients[next(k for k in ours_gradients if k.startswith(n))].any()
        ]
        if theirs:
            assert trained
            assert_same(ours_gradients, gradients(method, theirs), trained)
        moved = ["discriminator"] if name == "stargan" else [f"discriminator_{d}" for d in method.pair(step)]
        assert_same(judged_gradients, gradients(method, theirs_judged), moved)


@pytest.mark.parametrize("name", ["stargan", "combogan"])
def test_every_way_of_three_domains_translates(name):
    method, _ = build(name)
    x = three()[0][:, 0]
    assert len(method.ways) == 6
    results = {way: method.translate(x, way) for way in method.ways if way[0] == "a"}
    assert not torch.allclose(*results.values())
    with pytest.raises(ValueError, match="a_to_d"):
        method.translate(x, "a_to_d")
    shown = method.samples(*three())
    assert {"a_source", "a_translated", "a_as C", "c_translated", "c_as B"} <= shown.keys()


def test_pairs_of_a_step_depend_on_its_number_alone_and_meet_every_two():
    method, _ = build("combogan")
    pairs = [method.pair(step) for step in range(60)]
    assert pairs == [build("combogan")[0].pair(step) for step in range(60)]
    assert {frozenset(pair) for pair in pairs} == {frozenset("ab"), frozenset("ac"), frozenset("bc")}


def test_a_domain_that_is_added_trains_alone():
    """Bytes of the old ones stay, every pair has the new one, and of its own networks all learn."""
    method, _ = build("combogan", kept=2)
    method.float()
    before = copy.deepcopy(method.state_dict())
    assert all("c" in method.pair(step) for step in range(20))
    optimizers = [torch.optim.Adam(half()) for half in (method.generator_parameters, method.discriminator_parameters)]
    for step in range(1, 5):
        given, moment = [each.float() for each in three(step)], Moment(step, 0.0)
        fakes, losses = method.generator_losses(*given, moment)
        for optimizer, half in zip(
            optimizers, (losses, method.discriminator_losses(*given, fakes, moment)), strict=True
        ):
            optimizer.zero_grad()
            sum(half.values()).backward()
            optimizer.step()
    for name, value in method.state_dict().items():
        old = name.split(".")[0][-1] in "ab"
        assert torch.equal(value, before[name]) or not old, name
    changed = {n.split(".")[0] for n, v in method.state_dict().items() if not torch.equal(v, before[n])}
    assert changed == {"encoder_c", "decoder_c", "discriminator_c"}


def test_only_so_many_domains_and_one_generator_takes_no_other():
    with pytest.raises(ValueError, match="two domains"):
        METHODS["cyclegan"](MethodConfig(NETWORKS), 3)
    with pytest.raises(ValueError, match="none can be added"):
        build("stargan", kept=2)
