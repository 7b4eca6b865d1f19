"""The methods' formulas written out, each kind of picture through its network on its own: what training is held to.

Slow and plain on purpose. Windows are (B, T, 3, H, W) in [-1, 1]; frames are numbered from 1, as in the papers.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

import torch
from torch import Tensor, nn

from recycle.config import AdversarialLoss, MethodConfig, NetworkConfig
from recycle.methods import METHODS
from recycle.methods.base import Method, Moment
from recycle.methods.history import HistoryPool
from recycle.networks.layers import InstanceNorm

NETWORKS = NetworkConfig(
    size=32, generator="resnet_1blocks", generator_filters=3, predictor_filters=3, discriminator_filters=3
)

FIRST = Moment(step=1, progress=0.0)


class Judged(NamedTuple):
    """Formulas of an adversarial loss, scores to a scalar."""

    generator: Callable[[Tensor], Tensor]
    real: Callable[[Tensor], Tensor]
    fake: Callable[[Tensor], Tensor]


def judged(kind: AdversarialLoss) -> Judged:
    return {
        "lsgan": Judged(
            generator=lambda s: ((s - 1) ** 2).mean(),
            real=lambda s: 0.5 * ((s - 1) ** 2).mean(),
            fake=lambda s: 0.5 * (s**2).mean(),
        ),
        "vanilla": Judged(
            generator=lambda s: -torch.log(torch.sigmoid(s)).mean(),
            real=lambda s: -0.5 * torch.log(torch.sigmoid(s)).mean(),
            fake=lambda s: -0.5 * torch.log(1 - torch.sigmoid(s)).mean(),
        ),
        "hinge": Judged(
            generator=lambda s: -s.mean(),
            real=lambda s: -torch.minimum(s - 1, torch.zeros_like(s)).mean(),
            fake=lambda s: -torch.minimum(-s - 1, torch.zeros_like(s)).mean(),
        ),
        "wasserstein": Judged(generator=lambda s: -s.mean(), real=lambda s: -s.mean(), fake=lambda s: s.mean()),
    }[kind]


def distance(x: Tensor, y: Tensor) -> Tensor:
    return (x - y).abs().mean()


def build(name: str, config: MethodConfig | None = None, seed: int = 0) -> Method:
    """A method in float64, with weights larger than fresh ones, so that every bias and every term matters.

    By default small, with its published weights and adversarial loss. Content features are random.
    """
    torch.manual_seed(seed)
    method = METHODS[name](config or published(name)).double()
    for parameter in method.parameters():
        parameter.data.mul_(3)
    kernel = torch.randn(4, 3, 3, 3, dtype=torch.float64)
    method.content = lambda pictures: nn.functional.conv2d(pictures, kernel.to(pictures.dtype), stride=2)
    return method


def published(name: str, pool_size: int = 0) -> MethodConfig:
    """A method's published terms on small networks."""
    terms = METHODS[name]
    kind = terms.adversarial_loss
    own = {k: 1.0 if k == "critic_steps" else v for k, v in terms.own.items()}  # generators train in every step
    return MethodConfig(NETWORKS, terms.weights, adversarial_loss=kind, pool_size=pool_size, own=own)


def windows(frames: int = 1, batch: int = 2, seed: int = 0, size: int = 32) -> tuple[Tensor, Tensor]:
    """Noise of both domains, float64."""
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.rand((2, batch, frames, 3, size, size), generator=generator, dtype=torch.float64) * 2 - 1
    return a, b


def literal_recyclegan(
    m: Method, config: MethodConfig, x: Tensor, y: Tensor, X: str, Y: str
) -> tuple[dict[str, Tensor], list[tuple[Tensor, Tensor]]]:
    """X to Y, as the authors' table of terms reads; and the pairs of a real and a fake picture that D_Y judges."""
    w, judge, T = config.weights, judged(config.adversarial_loss), x.shape[1]
    G_Y, G_X = getattr(m, f"generator_{X}{Y}"), getattr(m, f"generator_{Y}{X}")
    P_Y, D_Y = getattr(m, f"predictor_{Y}"), getattr(m, f"discriminator_{Y}")
    before_last, targets = range(1, T), range(3, T + 1)
    x, y = ({t: window[:, t - 1] for t in range(1, T + 1)} for window in (x, y))
    fake = {t: G_Y(x[t]) for t in before_last}
    ahead = {t: P_Y(torch.cat([fake[t - 2], fake[t - 1]], 1)) for t in targets}
    predicted = {t: P_Y(torch.cat([y[t - 2], y[t - 1]], 1)) for t in targets}
    terms = {
        f"adversarial_{X}{Y}": (
            w.adversarial,
            lambda: sum(judge.generator(D_Y(picture)) for picture in (*fake.values(), *ahead.values())),
        ),
        f"recurrent_{Y}": (w.recurrent, lambda: sum(distance(predicted[t], y[t]) for t in targets)),
        f"recycle_{X}": (w.recycle, lambda: sum(distance(G_X(ahead[t]), x[t]) for t in targets)),
        f"predictor_adversarial_{Y}": (
            w.predictor_adversarial,
            lambda: sum(judge.generator(D_Y(predicted[t])) for t in targets),
        ),
        f"cycle_{X}": (w.cycle, lambda: sum(distance(G_X(fake[t]), x[t]) for t in before_last)),
        f"identity_{Y}": (w.identity, lambda: sum(distance(G_Y(y[t]), y[t]) for t in before_last)),
    }
    return weighted(terms), [(y[t], fakes[t]) for fakes in (fake, ahead, predicted) for t in fakes]


def literal_cyclegan(
    m: Method, config: MethodConfig, x: Tensor, y: Tensor, X: str, Y: str
) -> tuple[dict[str, Tensor], list[tuple[Tensor, Tensor]]]:
    """X to Y, equations 1 and 2 and section 5.2; and the pair of a real and a fake picture that D_Y judges."""
    w, judge = config.weights, judged(config.adversarial_loss)
    G_Y, G_X, D_Y = (getattr(m, name) for name in (f"generator_{X}{Y}", f"generator_{Y}{X}", f"discriminator_{Y}"))
    cycled = {"both": "ab", "forward": "a", "backward": "b"}[config.cycle_direction]
    x, y = x[:, 0], y[:, 0]
    fake = G_Y(x)
    terms = {
        f"adversarial_{X}{Y}": (w.adversarial, lambda: judge.generator(D_Y(fake))),
        f"cycle_{X}": (w.cycle if X in cycled else 0.0, lambda: distance(G_X(fake), x)),
        f"identity_{Y}": (w.identity, lambda: distance(G_Y(y), y)),
    }
    return weighted(terms), [(y, fake)]


def weighted(terms: dict[str, tuple[float, Callable[[], Tensor]]]) -> dict[str, Tensor]:
    """Those of a weight, which alone cost anything."""
    return {name: weight * term() for name, (weight, term) in terms.items() if weight}


LITERAL = {"recyclegan": literal_recyclegan, "cyclegan": literal_cyclegan}


def literal_step(
    name: str, method: Method, config: MethodConfig, a: Tensor, b: Tensor, pools: dict[str, HistoryPool]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Losses of the generators and of the discriminators.

    Picture by picture; under BatchNorm, where the pictures of a batch share statistics, kind of picture by kind.
    """
    together = config.networks.norm == "batch"
    judge, w = judged(config.adversarial_loss), config.weights
    generator_losses, discriminator_losses = {}, {}
    for x, y, X, Y in ((a, b, "a", "b"), (b, a, "b", "a")):
        batches = [(x, y)] if together else list(zip(x.split(1), y.split(1), strict=True))
        done = [LITERAL[name](method, config, *batch, X, Y) for batch in batches]
        generator_losses |= mean_over_batch([losses for losses, _ in done])
        if not (w.adversarial or w.predictor_adversarial):
            continue
        D_Y = getattr(method, f"discriminator_{Y}")
        judgements = [
            judge.real(D_Y(real)) + judge.fake(D_Y(pools[Y].query(fake.detach())))
            for kind in zip(*(pairs for _, pairs in done), strict=True)
            for real, fake in kind
        ]
        discriminator_losses[f"discriminator_{Y}"] = sum(judgements) / len(batches)
    return generator_losses, discriminator_losses


def mean_over_batch(losses: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: sum(each[name] for each in losses) / len(losses) for name in losses[0]}


class TorchInstanceNorm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.instance_norm(x)


def with_torch_norm(network: nn.Module) -> None:
    """Puts torch's own InstanceNorm, which the authors used, in the place of ours; the same but for rounding."""
    for parent in network.modules():
        for name, child in parent.named_children():
            if isinstance(child, InstanceNorm):
                setattr(parent, name, TorchInstanceNorm())


def values(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: loss.item() for name, loss in losses.items()}


def gradients(method: nn.Module, losses: dict[str, Tensor]) -> dict[str, Tensor]:
    """Of the sum of `losses`, by parameter name; zero where there is none."""
    method.zero_grad()
    if losses:
        sum(losses.values()).backward()
    return {name: torch.zeros(1) if p.grad is None else p.grad.clone() for name, p in method.named_parameters()}


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor], networks: Collection[str]) -> None:
    """Each network's gradient within 1e-5 of its length."""
    for name in networks:
        own = [key for key in ours if key.startswith(f"{name}.")]
        length = torch.stack([theirs[key].norm() for key in own]).norm()
        off = torch.stack([(ours[key] - theirs[key]).norm() for key in own]).norm()
        assert off <= 1e-5 * length, name
