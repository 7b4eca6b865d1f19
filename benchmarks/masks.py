"""Masks of faces against drawn heads, whose face is known: overlap, what is spilled beside it, and flicker.

    python benchmarks/masks.py [FRAMES]

Heads: the characters of the drawn worlds, and heads of other widths, skins and hair, lit from a side, with texture and
noise, before an even or a busy wall. Overlap: intersection over union of the mask's support and the face. Beside: the
part of the mask that lies outside of the face. Flicker: mean absolute change of the mask from frame to frame, less that
of the true face of the same head, in thousandths of the mask's area. Masks are those of one picture (`source`); in
rendering they are those of two.
"""

import sys
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from data.faces.align import crop, crop_matrix
from data.faces.contour import RIM, TEMPLATE_OUTLINE, Contour
from data.faces.masks import mask_within
from data.world.busy import BUSY_HEAD, busy_face_of, draw_busy
from data.world.canvas import Canvas, oval, smooth
from data.world.characters import HEAD, Pose, draw, face_of
from data.world.movement import motion
from data.world.worlds import WORLDS

SIZE, CROP_PX, RATE = 256, 96, 25.0
Head = Iterator[tuple[np.ndarray, np.ndarray]]
"""Crops and the part of each pixel of them that is face."""


def crops(pictures: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]], generator: np.random.Generator) -> Head:
    """From pictures, faces and five points, which jump by a hundredth of the face's width as found ones do."""
    for picture, face, points in pictures:
        width = np.linalg.norm(points[1] - points[0]) / 0.45
        matrix = crop_matrix(points + generator.normal(0, 0.005 * width, points.shape), CROP_PX)
        yield crop(picture, matrix, CROP_PX), crop(np.repeat(face[..., None], 3, 2), matrix, CROP_PX)[..., 0]


def placed(x: float, y: float, tilt: float, eyes: tuple, nose: tuple, mouth: tuple) -> np.ndarray:
    """Points about a head's middle, in sides of the picture, as pixels."""
    points = np.array([(-eyes[0], eyes[1]), eyes, nose, (-mouth[0], mouth[1]), mouth])
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    return (points @ np.array([[c, s], [-s, c]]) + (x, y)) * SIZE - 0.5


def world_head(look: str, frames: int, busy: bool) -> Head:
    """A character of a drawn world."""
    poses = WORLDS["busy"].motion(3, frames, look == "B") if busy else motion(3, frames)
    generator = np.random.default_rng(0)

    def pictures() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for pose in poses:
            if busy:
                rgb, face, head = draw_busy(pose, look, SIZE), busy_face_of(pose, look, SIZE), BUSY_HEAD
                rgb = np.clip(rgb + generator.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
                features = ((0.115, -0.035), (0.0, 0.07), (0.12, 0.155))
            else:
                rgb, face, head = draw(pose, look, SIZE), face_of(pose, look, SIZE), HEAD
                features = ((0.12, -0.045), (0.0, 0.06), (0.135, 0.155))
            yield rgb, face, placed(head[0] + pose.x, head[1] + pose.y, pose.tilt, *features)

    return crops(pictures(), generator)


def colour(values: np.ndarray | tuple, gain: float = 1.0) -> tuple[int, int, int]:
    """RGB values, brightened, as a canvas takes them."""
    red, green, blue = np.clip(np.asarray(values, float) * gain, 0, 255).astype(int).tolist()
    return red, green, blue


class DrawnHead:
    """A head of its own width, skin, hair and light, that turns a little."""

    def __init__(self, seed: int) -> None:
        generator = self.generator = np.random.default_rng(seed)
        self.tone = generator.uniform(0.35, 1.0)
        self.skin = np.array([246, 204, 174]) * self.tone + generator.uniform(-8, 8, 3)
        self.hair = [(30, 22, 24), (92, 58, 36), (180, 140, 90), (150, 146, 144), (120, 50, 30)][seed % 5]
        self.wall = generator.uniform(40, 230, 3)
        self.half, self.jaw, self.long_hair = generator.uniform(0.19, 0.27), generator.uniform(2.0, 2.7), seed % 2 == 0
        self.light = generator.uniform(-0.35, 0.35)
        self.texture = self._noise(1.2, 6)
        self.spots = self._noise(9, 30 if seed % 3 == 0 else 5)
        low, half = generator.uniform(-0.26, -0.17), self.half
        self.fringe = smooth(
            (-half - 0.06, 0.0), (-half - 0.06, -0.36), (half + 0.06, -0.36), (half + 0.06, 0.0),
            (half - 0.02, low + 0.03), (0.05, low - 0.03), (-half + 0.02, low + 0.03),
        )  # fmt: skip

    def _noise(self, px: float, levels: float) -> np.ndarray:
        noise = cv2.GaussianBlur(self.generator.normal(0, 1, (SIZE, SIZE, 3)).astype(np.float32), (0, 0), px)
        return noise * (levels / noise.std())

    def face(self, pose: Pose, turn: float) -> np.ndarray:
        """The face's outline about the head's middle."""
        face = oval(turn, 0, self.half, 0.315, self.jaw)
        face[:, 1] *= np.where(face[:, 1] > 0, 1 + 0.1 * pose.mouth, 1)
        return face

    def truth(self, pose: Pose, turn: float) -> np.ndarray:
        """(SIZE, SIZE) float32: how much of each pixel is face."""
        canvas = Canvas(SIZE, (0, 0, 0))
        canvas.place(0.5 + pose.x, 0.5 + pose.y, pose.tilt)
        canvas.fill(self.face(pose, turn), (255, 255, 255))
        canvas.fill(self.fringe + np.array([turn, 0]), (0, 0, 0))
        return canvas.finished()[..., 0].astype(np.float32) / 255

    def picture(self, pose: Pose, turn: float) -> np.ndarray:
        """(SIZE, SIZE, 3) uint8: drawn, out of focus by a pixel, lit, with texture and noise."""
        canvas = Canvas(SIZE, colour(self.wall))
        canvas.place(0.5 + 0.3 * pose.x, 1.02, 0)
        canvas.fill(oval(0, 0.12, 0.42, 0.24, 2.6), colour(self.wall[::-1]))
        canvas.place(0.5 + pose.x, 0.5 + pose.y, pose.tilt)
        if self.long_hair:
            canvas.fill(oval(turn, 0.1, self.half + 0.1, 0.5, 2.6), self.hair)
        canvas.fill(oval(turn, -0.08, self.half + 0.05, 0.33), self.hair)
        canvas.fill(np.array([[-0.1, 0.15], [0.1, 0.15], [0.12, 0.5], [-0.12, 0.5]]), colour(self.skin, 0.72))
        canvas.fill(self.face(pose, turn), colour(self.skin))
        for side in (-1, 1):
            canvas.fill(oval(side * 0.12, -0.045, 0.05, 0.028 * pose.eyes + 0.004), (244, 240, 236))
            canvas.fill(oval(side * 0.12, -0.045, 0.024, 0.026 * pose.eyes + 0.004), (40, 30, 26))
            canvas.stroke(np.array([[side * 0.065, -0.1], [side * 0.18, -0.11]]), colour(self.hair, 0.8), 0.022)
        canvas.fill(oval(turn * 1.3, 0.06, 0.035, 0.03), colour(self.skin, 0.85))
        canvas.fill(oval(0, 0.155, 0.1, 0.018 + 0.06 * pose.mouth), colour((150, 60, 60), self.tone))
        canvas.fill(self.fringe + np.array([turn, 0]), self.hair)
        rgb = cv2.GaussianBlur(canvas.finished(), (0, 0), 1.0).astype(np.float32)
        wall = np.abs(rgb - self.wall).max(axis=2, keepdims=True) < 12
        lit = rgb * (1 + self.light * np.linspace(-1, 1, SIZE)[None, :, None])
        noisy = lit + self.texture + np.where(wall, self.spots, 0) + self.generator.normal(0, 3, rgb.shape)
        return np.clip(noisy, 0, 255).astype(np.uint8)

    def frames(self, poses: list[Pose]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Pictures, faces and points."""
        for number, pose in enumerate(poses):
            turn = 0.035 * np.sin(2 * np.pi * number / 40)
            points = placed(0.5 + pose.x, 0.5 + pose.y, pose.tilt, (0.12, -0.045), (turn * 1.3, 0.06), (0.11, 0.155))
            yield self.picture(pose, turn), self.truth(pose, turn), points


def drawn_head(seed: int, frames: int) -> Head:
    """A DrawnHead that moves."""
    head = DrawnHead(seed)
    return crops(head.frames(motion(seed, frames)), head.generator)


Outline = Callable[[np.ndarray, float], np.ndarray]


def grabcut() -> Outline:
    """OpenCV's GrabCut seeded by the template, as the radii of where it first ends along each ray."""
    certain, likely = mask_within(TEMPLATE_OUTLINE * 0.7, CROP_PX) > 0, mask_within(TEMPLATE_OUTLINE * 1.2, CROP_PX) > 0
    rim = mask_within(RIM, CROP_PX) > 0

    def supports(picture: np.ndarray, _: float) -> np.ndarray:
        labels = np.full((CROP_PX, CROP_PX), cv2.GC_BGD, np.uint8)
        labels[rim] = cv2.GC_PR_BGD
        labels[likely] = cv2.GC_PR_FGD
        labels[certain] = cv2.GC_FGD
        cv2.grabCut(picture, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
        return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)

    return supports


def mask_of(outline: Outline, picture: np.ndarray, seconds: float) -> np.ndarray:
    """The support of a mask, in [0, 1]."""
    found = outline(picture, seconds)
    return found if found.ndim == 2 else mask_within(found, CROP_PX)


def measured(make: Callable[[], Outline], head: Head) -> np.ndarray:
    """Overlap, part beside the face, flicker in thousandths, milliseconds: means over the frames; least overlap."""
    outline, rows, before, spent = make(), [], None, 0.0
    for number, (picture, face) in enumerate(head):
        start = time.process_time()
        mask = mask_of(outline, picture, number / RATE)
        spent += time.process_time() - start
        support, true = mask > 0.02, face > 0.5
        overlap = (support & true).sum() / max((support | true).sum(), 1)
        beside = (mask * (1 - np.clip(face, 0, 1))).sum() / max(mask.sum(), 1e-9)
        flicker = np.nan
        if before is not None:
            change, own = np.abs(mask - before[0]).sum(), np.abs(face - before[1]).sum()
            flicker = 1000 * (change - own) / max(mask.sum(), 1)
        rows.append((overlap, beside, flicker))
        before = mask, face
    table = np.array(rows)
    return np.array([*np.nanmean(table, axis=0), 1000 * spent / len(rows), table[:, 0].min()])


def main(frames: int = 60) -> None:
    heads: dict[str, Callable[[], Head]] = {}
    for name in ("plain", "busy"):
        for look in "AB":
            heads[f"{name} {look}"] = lambda look=look, name=name: world_head(look, frames, name == "busy")
    heads |= {f"head {seed}": lambda seed=seed: drawn_head(seed, frames) for seed in range(6, 16)}
    makers: dict[str, Callable[[], Outline]] = {
        "oval": lambda: lambda picture, seconds: RIM,
        "template": lambda: lambda picture, seconds: TEMPLATE_OUTLINE,
        "GrabCut": grabcut,
        "outline, each frame": lambda: Contour(0.0),
        "outline": Contour,
    }
    print("| mask | overlap, mean | of the worst head | beside the face | flicker | ms |\n|---|---|---|---|---|---|")
    for name, make in makers.items():
        of_heads = {head: measured(make, open_head()) for head, open_head in heads.items()}
        table = np.array(list(of_heads.values()))
        mean = table.mean(axis=0)
        figures = f"{mean[0]:.3f} | {table[:, 0].min():.3f} | {100 * mean[1]:.1f} % | {mean[2]:.1f} | {mean[3]:.1f}"
        print(f"| {name} | {figures} |", flush=True)
        if "-v" in sys.argv:
            print({head: np.round(row, 3).tolist() for head, row in of_heads.items()})


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    main(*numbers)
