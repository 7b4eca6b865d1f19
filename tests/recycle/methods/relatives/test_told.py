"""Steps of augmented and pairedcycle against their formulas, picture by picture, and what codes and references do."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recycle.config import MethodConfig
from recycle.methods import METHODS
from recycle.methods.base import Method
from recycle.methods.history import HistoryPool
from tests.literal import FIRST, NETWORKS, build, distance, judged, mean_over_batch, windows
from tests.recycle.methods.steps import Losses, assert_steps_are_literal


def config_of(name: str, **changes) -> MethodConfig:
    row = METHODS[name]
    own = {"codes": 3.0}
    return replace(MethodConfig(NETWORKS, row.weights, adversarial_loss=row.adversarial_loss, own=own), **changes)


def literal_augmented(
    m: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[Losses, Losses]:
    """Sections 3.1 and 3.2. Codes are drawn for the whole batch: B's, A's, then those that judges are shown."""
    w, judge, length = config.weights, judged(config.adversarial_loss), int(config.own["codes"])
    drawn = {domain: torch.randn(len(a), length).double() for domain in "ba"}
    prior = {domain: torch.randn(len(a), length).double() for domain in "ba"}
    made, judgements = [], []
    for k in range(len(a)):
        terms, of_judges = {}, {}
        for x, y, X, Y in ((a[k : k + 1, 0], b[k : k + 1, 0], "a", "b"), (b[k : k + 1, 0], a[k : k + 1, 0], "b", "a")):
            G_Y, G_X = getattr(m, f"generator_{X}{Y}"), getattr(m, f"generator_{Y}{X}")
            E_X, E_Y = getattr(m, f"encoder_{X}"), getattr(m, f"encoder_{Y}")
            D_Y, D_Z = getattr(m, f"discriminator_{Y}"), getattr(m, f"code_discriminator_{X}")
            z = drawn[Y][k : k + 1]
            fake = G_Y(x, z)
            read = E_X(torch.cat([x, fake], 1))
            terms[f"adversarial_{X}{Y}"] = w.adversarial * judge.generator(D_Y(fake))
            terms[f"prior_{X}"] = w.prior * judge.generator(D_Z(read))
            terms[f"cycle_{X}"] = w.cycle * distance(G_X(fake, read), x)
            terms[f"code_{Y}"] = w.code * distance(E_Y(torch.cat([fake, x], 1)), z)
            shown = pools[Y].query(fake.detach())
            of_judges[f"discriminator_{Y}"] = judge.real(D_Y(y)) + judge.fake(D_Y(shown))
            of_judges[f"code_discriminator_{X}"] = judge.real(D_Z(prior[X][k : k + 1])) + judge.fake(D_Z(read.detach()))
        made.append(terms)
        judgements.append(of_judges)
    return mean_over_batch(made), mean_over_batch(judgements)


def literal_pairedcycle(
    m: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[Losses, Losses]:
    """Section 3.1, a pair of pictures at a time."""
    w, judge = config.weights, judged(config.adversarial_loss)
    F, E = m.generator_ba, m.style_reader
    made, judgements = [], []
    for k in range(len(a)):
        x, y = a[k : k + 1, 0], b[k : k + 1, 0]
        other = b[k : k + 1, -1] if b.shape[1] > 1 else y.flip(-1)

        def put_on(picture: Tensor, reference: Tensor) -> Tensor:
            return m.generator_ab(picture, E(reference))

        worn, bare = put_on(x, y), F(y)
        pair = torch.cat([y, worn], 1)
        made.append(
            {
                "adversarial_ab": w.adversarial * judge.generator(m.discriminator_b(worn)),
                "adversarial_ba": w.adversarial * judge.generator(m.discriminator_a(bare)),
                "style_b": w.style * judge.generator(m.discriminator_style(pair)),
                "cycle_a": w.cycle * distance(F(worn), x),
                "cycle_b": w.cycle * distance(put_on(bare, worn), y),
            }
        )
        pairs = {"a": (x, bare), "b": (y, worn), "style": (torch.cat([y, other], 1), pair)}
        judgements.append({})
        for name, (real, fake) in pairs.items():
            D = getattr(m, f"discriminator_{name}")
            shown = pools[name].query(fake.detach())
            judgements[-1][f"discriminator_{name}"] = judge.real(D(real)) + judge.fake(D(shown))
    return mean_over_batch(made), mean_over_batch(judgements)


LITERAL = {"augmented": literal_augmented, "pairedcycle": literal_pairedcycle}


@pytest.mark.parametrize("name", LITERAL)
@pytest.mark.parametrize("changes", [{"adversarial_loss": "hinge"}, {"pool_size": 3}])
def test_step_equals_the_formulas(name, changes):
    config = config_of(name, **changes)
    assert_steps_are_literal(name, config, LITERAL[name], steps=4 if config.pool_size else 1)


def test_another_moment_of_the_clip_is_what_a_style_is_judged_by():
    method = build("pairedcycle", config_of("pairedcycle"))
    a, b = windows(frames=2)
    fakes, _ = method.generator_losses(a[:, :1], b, FIRST)
    with_other, alone = (method.discriminator_losses(a, y, fakes, FIRST) for y in (b, b[:, :1]))
    assert with_other["discriminator_b"] == alone["discriminator_b"]
    assert with_other["discriminator_style"] != alone["discriminator_style"]


def test_a_sample_is_one_code_for_every_frame_and_every_start():
    first, again = (build("augmented", config_of("augmented")) for _ in range(2))
    frames = windows(batch=4)[0][:, 0]
    plain = first.translate(frames, "a_to_b")
    first.hold(sample=3)
    answer = first.translate(frames, "a_to_b")
    again.hold(sample=3)
    alone = torch.cat([again.translate(frame[None], "a_to_b") for frame in frames])
    torch.testing.assert_close(answer, alone)
    assert not torch.allclose(plain, answer)
    first.hold(sample=4)
    assert not torch.allclose(first.translate(frames, "a_to_b"), answer)
    first.hold()
    assert torch.equal(first.translate(frames, "a_to_b"), plain)


def test_a_reference_changes_what_is_put_on_and_not_what_is_taken_off():
    method = build("pairedcycle", config_of("pairedcycle"))
    a, b = (window[:, 0] for window in windows())
    method.generator_losses(a[:, None], b[:, None], FIRST)
    assert torch.equal(method.usual, b[0])  # the reference of whoever gives none
    usual, off = method.translate(a, "a_to_b"), method.translate(b, "b_to_a")
    method.hold(reference=b[0])
    assert torch.equal(method.translate(a, "a_to_b"), usual)
    method.hold(reference=b[1])
    assert not torch.allclose(method.translate(a, "a_to_b"), usual)
    assert torch.equal(method.translate(b, "b_to_a"), off)


def test_there_and_back_is_the_cycle_of_the_method():
    """A code that is read from source and translation, or the style that the source wore, and not what is held."""
    method = build("augmented", config_of("augmented"))
    x = windows()[0][:, 0]
    there = method.translate(x, "a_to_b")
    method.hold(sample=1)
    read = method.encoder_a(torch.cat([x, there], 1))
    assert torch.equal(method.back(there, x, "a_to_b"), method.generator_ba(there, read))
