"""The score of held-out windows: by hand, and the order of good and bad translators."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates, shift
from torch import Tensor

from data.world.characters import draw as drawn
from data.world.movement import motion
from recycle.measures.distribution import describe
from recycle.measures.optical_flow import Dis, visible
from recycle.training.heldout import HeldOut, offset_px

CPU = torch.device("cpu")
SIZE = 48
MIRRORS: list[list[int]] = [[], [3], [2]]
"""Axes of (N, 3, H, W) that each reverses."""


class Stub:
    """A method that translates by given functions of (N, 3, H, W)."""

    paired = False

    def __init__(self, there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor] | None = None) -> None:
        self.generators = {"generator_ab": there} | ({"generator_ba": back} if back else {})
        self.content: Callable[[Tensor], Tensor] | None = None

    @property
    def ways(self) -> list[str]:
        return [f"{name[-2]}_to_{name[-1]}" for name in self.generators]

    def translate(self, frames: Tensor, direction: str) -> Tensor:
        return self.generators[f"generator_{direction.replace('_to_', '')}"](frames)

    def back(self, translated: Tensor, source: Tensor, direction: str) -> Tensor:
        return self.translate(translated, f"{direction[-1]}_to_{direction[0]}")


def frames_of(seed: int, look: str) -> np.ndarray:
    """(8, 2, SIZE, SIZE, 3) uint8: pairs of frames that follow each other, over ten seconds."""
    poses = motion(seed, 250)
    return np.array([[drawn(poses[i + k], look, SIZE) for k in (0, 1)] for i in range(0, 240, 30)])


def tensor(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).movedim(-1, -3).float() / 127.5 - 1


@pytest.fixture(scope="module")
def world() -> dict[str, np.ndarray]:
    """What was filmed of A and of B, and what nobody filmed: the right answers."""
    return {"a": frames_of(1, "A"), "b": frames_of(2, "B"), "truth_a": frames_of(1, "B"), "truth_b": frames_of(2, "A")}


@pytest.fixture(scope="module")
def windows(world: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: tensor(world[name]) for name in "ab"}


def translator(world: dict[str, np.ndarray], distort: Callable[[Tensor], Tensor]) -> Stub:
    """Translates each frame of the world into its right answer, distorted, and knows every way back; so for the
    mirrored frames."""
    sources, answers = (
        torch.cat([tensor(world[name]).flatten(0, 1) for name in names]) for names in ("ab", ("truth_a", "truth_b"))
    )
    shown = torch.cat([distort(answers.flip(mirror)) for mirror in MIRRORS])
    sources = torch.cat([sources.flip(mirror) for mirror in MIRRORS])

    def network(frames: Tensor) -> Tensor:
        known, translated = ((frames[:, None] - each).abs().mean((2, 3, 4)).min(1) for each in (sources, shown))
        forward = (known.values < translated.values)[:, None, None, None]
        return torch.where(forward, shown[known.indices], sources[translated.indices])

    return Stub(network, network)


def score(method: Stub, windows: dict[str, Tensor]) -> float:
    return sum(HeldOut(method, windows).parts(CPU).values())


def literal(world: dict[str, np.ndarray], there: Callable[[np.ndarray], np.ndarray], x: str, y: str) -> list[float]:
    """temporal, cycle and look of domain x's frames through `there` and, back, through its square."""
    translated = there(world[x])
    errors = []
    for source, result in zip(world[x], translated, strict=True):
        flow = Dis()(*source)
        seen = visible(flow, Dis()(source[1], source[0]))
        rows_, columns = np.mgrid[:SIZE, :SIZE].astype(float)
        places = [rows_ + flow[..., 1], columns + flow[..., 0]]
        for c in range(3):
            fetched = map_coordinates(result[1, ..., c] / 255.0, places, order=1, mode="nearest")
            errors.append(((fetched - result[0, ..., c] / 255.0) ** 2)[seen].mean())
    firsts = translated[:, 0] / 255.0
    apart = [((p - q) ** 2).mean() for i, p in enumerate(firsts) for j, q in enumerate(firsts) if i != j]
    pictures, back = world[x] / 127.5 - 1, there(translated) / 127.5 - 1
    cycle = np.abs(back - pictures).mean() / np.abs(pictures - pictures.mean((0, 1))).mean()

    def distance(first: np.ndarray, second: np.ndarray) -> float:
        p, q = (np.array([describe(f) for f in s.reshape(-1, SIZE, SIZE, 3)]) for s in (first, second))
        k = lambda u, v: (u @ v / len(u) + 1) ** 3  # noqa: E731
        same = [np.mean([k(u, v) for i, u in enumerate(s) for j, v in enumerate(s) if i != j]) for s in (p, q)]
        return sum(same) - 2 * np.mean([k(u, v) for u in p for v in q])

    look = distance(translated, world[y]) / distance(world[x], world[y])
    return [2 * np.sqrt(np.mean(errors) / np.mean(apart)), cycle, 2 * max(0, look - 0.5)]


def test_the_score_is_its_formula(world: dict[str, np.ndarray], windows: dict[str, Tensor]) -> None:
    """Of a method that darkens either way."""

    def there(pictures: np.ndarray) -> np.ndarray:
        return np.rint(pictures * 0.7313).astype(np.uint8)

    def network(frames: Tensor) -> Tensor:
        return torch.round((frames + 1) * 127.5 * 0.7313) / 127.5 - 1

    parts = HeldOut(Stub(network, network), windows).parts(CPU)
    wanted = np.mean([literal(world, there, "a", "b"), literal(world, there, "b", "a")], axis=0)
    assert list(parts) == ["temporal", "cycle", "look", "place"]
    assert parts["temporal"] == pytest.approx(wanted[0], rel=0.02)  # OpenCV places to 1/32 px
    assert [parts["cycle"], parts["look"]] == pytest.approx(list(wanted[1:]), rel=1e-4)
    assert min(wanted) > 0.05 and parts["place"] < 0.01


def test_one_way_methods_are_held_by_pairs_or_by_content(windows: dict[str, Tensor]) -> None:
    half, a, b = (lambda frames: frames / 2), windows["a"], windows["b"]
    pairs = Stub(half)
    pairs.paired = True
    parts = HeldOut(pairs, windows).parts(CPU)
    assert list(parts) == ["temporal", "l1", "place"]
    assert parts["l1"] == pytest.approx(float((a / 2 - b).abs().mean() / (b - b.mean((0, 1))).abs().mean()), rel=1e-4)
    assert not HeldOut(pairs, {"a": a}).measured

    cartoon = Stub(half)
    assert HeldOut(cartoon, windows).measured == ["temporal", "look", "place"]
    cartoon.content = lambda frames: frames.abs() * 3
    parts = HeldOut(cartoon, windows).parts(CPU)
    seen = a.abs() * 3
    assert list(parts) == ["temporal", "content", "look", "place"]
    assert parts["content"] == pytest.approx(
        float((seen / 2 - seen).abs().mean() / (seen - seen.mean((0, 1))).abs().mean()), rel=1e-4
    )
    cartoon.generators = {"generator_ab": lambda frames: frames}
    assert HeldOut(cartoon, windows).parts(CPU)["look"] == 1, "nothing was translated"


def test_what_is_there_decides_what_is_measured(windows: dict[str, Tensor]) -> None:
    both = Stub(lambda frames: frames, lambda frames: frames)
    single = {name: frames[:, :1] for name, frames in windows.items()}
    assert HeldOut(both, {}).measured == []
    assert HeldOut(both, single).measured == ["cycle", "look", "place"]
    assert HeldOut(both, {"b": windows["b"]}).measured == ["temporal", "cycle", "place"]
    assert HeldOut(both, {"a": single["a"], "b": windows["b"]}).measured == ["temporal", "cycle", "look", "place"]
    assert HeldOut(both, {name: frames[:1] for name, frames in windows.items()}).measured == ["cycle", "look", "place"]
    assert HeldOut(both, single).fingerprint != HeldOut(both, windows).fingerprint


def test_bad_translators_come_after_good_ones(world: dict[str, np.ndarray], windows: dict[str, Tensor]) -> None:
    def flickering(levels: float) -> Callable[[Tensor], Tensor]:
        return lambda frames: frames + (torch.arange(len(frames)) % 2 * levels / 127.5)[:, None, None, None]

    def of_another(frames: Tensor) -> Tensor:
        """Well drawn, but of another moment: nothing moves with the source."""
        return frames.roll(2, dims=0).flip(0)

    mean = {name: windows[name].mean((0, 1)) for name in "ab"}
    constant = Stub(*((lambda frames, name=name: mean[name].expand_as(frames)) for name in "ba"))
    scores = {
        "perfect": score(translator(world, lambda frames: frames), windows),
        "flickers by 3": score(translator(world, flickering(3)), windows),
        "flickers by 12": score(translator(world, flickering(12)), windows),
        "out of step": score(translator(world, of_another), windows),
        "identity": score(Stub(lambda frames: frames, lambda frames: frames), windows),
        "constant": score(constant, windows),
    }
    assert list(scores) == sorted(scores, key=scores.__getitem__), scores
    assert scores["identity"] > 1 > 2 * scores["perfect"]
    parts = HeldOut(constant, windows).parts(CPU)
    # 2 for temporal, 1 for the way back; place comes on top, for one picture never turns with its source.
    assert sum(parts.values()) - parts["place"] == pytest.approx(3, abs=0.01)


def moved(right: float, down: float) -> Callable[[Tensor], Tensor]:
    """Draws everything so many pixels beside its place; what comes in is what was at the border."""

    def there(frames: Tensor) -> Tensor:
        padded = np.pad(frames.numpy(), ((0, 0), (0, 0), (8, 8), (8, 8)), mode="edge")
        return torch.from_numpy(shift(padded, (0, 0, down, right), order=1)[..., 8:-8, 8:-8].copy())

    return there


WRONG: dict[str, Callable[[Tensor], Tensor]] = {
    "drifted to the right": moved(0.5, 0),
    "drifted up": moved(0, -1),
    "drifted both ways": moved(1, -1),
    "one picture for all": lambda frames: frames[:1].expand_as(frames),
    "a still picture that hides its source": lambda frames: 0.97 * frames[:1] + 0.03 * frames,
    "tones inverted": lambda frames: -frames,
    "mirrored": lambda frames: frames.flip(3),
    "upside down": lambda frames: frames.flip(2),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_has_gone_wrong_scores_worse_than_what_is_right(
    fault: str, world: dict[str, np.ndarray], windows: dict[str, Tensor]
) -> None:
    """Though the way back finds each source exactly."""
    right = score(translator(world, lambda frames: frames), windows)
    assert score(translator(world, WRONG[fault]), windows) > right + 0.1


def test_the_further_beside_its_place_the_worse(world: dict[str, np.ndarray], windows: dict[str, Tensor]) -> None:
    found = [
        offset_px(HeldOut(translator(world, moved(*by)), windows).parts(CPU)) for by in ((0, 0), (0.5, 0), (1.5, -2))
    ]
    assert found == pytest.approx([length * 64 / SIZE for length in (0, 0.5, 2.5)], abs=0.1)
