"""Real footage drawn over: a known filter from one picture to one picture, the same for every frame of a seed.

What it changes is what a translation between two domains changes: tones, outlines, light and proportions. It looks at
one picture alone and draws nothing at random from frame to frame, so a filtered frame is the right answer to its
source.
"""

from dataclasses import dataclass

import cv2
import numpy as np

WORK_PX = 256
"""Side that pictures are drawn over at, so that outlines are as wide at any size asked for."""
_BEND = 0.045  # largest change of place, in sides of the picture
_LINE_SIGMA = 1.4 / 256  # of a side
_LINE_RATIO, _LINE_LEAST, _LINE_SHARPNESS = 1.6, 0.006, 60.0  # difference of Gaussians in [0, 1]
_LINE_DEPTH = 0.8
_SMOOTH_SIGMA_SIDE, _SMOOTH_SIGMA_TONE, _SMOOTH_ROUNDS = 3 / 256, 0.12, 2
_TONES = 5
_LIGHT = 0.35  # how much brighter than the middle the lit edge is, and the other darker
_INK = np.array([0.10, 0.06, 0.16], np.float32)


@dataclass(frozen=True)
class _Manner:
    """What a seed decides. turn: of the hue, in radians. light: direction that it comes from, (2,) x and y of length 1.

    waist, chin: change of width and of height, signed parts of _BEND.
    """

    turn: float
    light: np.ndarray
    waist: float
    chin: float


def _manner(seed: int) -> _Manner:
    generator = np.random.default_rng(seed)
    angle = generator.uniform(0, 2 * np.pi)
    sign = generator.choice([-1.0, 1.0], 2)
    return _Manner(
        turn=np.pi + generator.uniform(-0.6, 0.6),
        light=np.array([np.cos(angle), np.sin(angle)]),
        waist=sign[0] * generator.uniform(0.8, 1.0),
        chin=sign[1] * generator.uniform(0.8, 1.0),
    )


class DrawnOver:
    """`DrawnOver(seed)(picture)`: (S, S, 3) uint8 RGB drawn over, of the same size, from any S."""

    def __init__(self, seed: int) -> None:
        self._manner = _manner(seed)
        place = (np.arange(WORK_PX, dtype=np.float32) + 0.5) / WORK_PX
        self._x, self._y = np.meshgrid(place, place)
        self.map_x, self.map_y = self._bent()
        self._gain = self._light()

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        work = cv2.resize(picture, (WORK_PX, WORK_PX), interpolation=_interpolation(len(picture), WORK_PX))
        bent = cv2.remap(work, self.map_x, self.map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        values = bent.astype(np.float32) / 255
        drawn = self._toned(values) * self._gain
        ink = _outlines(values)[..., None]
        drawn = np.rint(255 * np.clip(drawn * (1 - ink) + _INK * ink, 0, 1)).astype(np.uint8)
        side = len(picture)
        return (
            drawn if side == WORK_PX else cv2.resize(drawn, (side, side), interpolation=_interpolation(WORK_PX, side))
        )

    def _bent(self) -> tuple[np.ndarray, np.ndarray]:
        """For each pixel, where in the picture it comes from, for cv2.remap: smooth, and nothing moves at the edges."""
        across, down = np.sin(np.pi * self._x), np.sin(np.pi * self._y)
        half = np.sin(2 * np.pi * self._x), np.sin(2 * np.pi * self._y)
        # Wider above the middle where it is narrower below; longer between middle and chin, shorter above.
        from_x = self._x + _BEND * self._manner.waist * half[0] * half[1]
        from_y = self._y + _BEND * self._manner.chin * across * down * (0.4 + 0.6 * across)
        return (from_x * WORK_PX - 0.5).astype(np.float32), (from_y * WORK_PX - 0.5).astype(np.float32)

    def _light(self) -> np.ndarray:
        """(S, S, 1) float32 gain."""
        towards = (self._x - 0.5) * self._manner.light[0] + (self._y - 0.5) * self._manner.light[1]
        return (1 + 2 * _LIGHT * towards)[..., None].astype(np.float32)

    def _toned(self, values: np.ndarray) -> np.ndarray:
        """Flat areas of few tones, hues turned."""
        for _ in range(_SMOOTH_ROUNDS):
            values = cv2.bilateralFilter(values, -1, _SMOOTH_SIGMA_TONE, _SMOOTH_SIGMA_SIDE * WORK_PX)
        lab = cv2.cvtColor(values, cv2.COLOR_RGB2LAB)
        light, red_green, blue_yellow = lab[..., 0] / 100, lab[..., 1], lab[..., 2]
        # Steps with soft edges: a hard one would jump from frame to frame where a tone lies on it.
        steps = light * _TONES
        whole = np.floor(steps)
        light = (whole + _soft(steps - whole)) / _TONES
        cosine, sine = np.cos(self._manner.turn), np.sin(self._manner.turn)
        turned = np.stack(
            [
                100 * (0.12 + 0.8 * light),
                1.2 * (cosine * red_green - sine * blue_yellow) + 30 * (light - 0.5),
                1.2 * (sine * red_green + cosine * blue_yellow) + 20 * (0.5 - light),
            ],
            axis=-1,
        )
        return np.clip(cv2.cvtColor(turned.astype(np.float32), cv2.COLOR_LAB2RGB), 0, 1)


def _soft(share: np.ndarray) -> np.ndarray:
    """0 to 1 to 0 to 1: flat at both ends and steep between."""
    return share * share * (3 - 2 * share)


def _outlines(values: np.ndarray) -> np.ndarray:
    """(S, S) float32 in [0, 1]: ink where a difference of Gaussians is dark against its surroundings (XDoG,
    Winnemöller et al. 2012)."""
    grey = cv2.cvtColor(values, cv2.COLOR_RGB2GRAY)
    sigma = _LINE_SIGMA * WORK_PX
    narrow, wide = (cv2.GaussianBlur(grey, (0, 0), s) for s in (sigma, _LINE_RATIO * sigma))
    return _LINE_DEPTH * np.clip(np.tanh(_LINE_SHARPNESS * (wide - narrow - _LINE_LEAST)), 0, 1)


def _interpolation(side: int, wanted: int) -> int:
    return cv2.INTER_AREA if wanted < side else cv2.INTER_CUBIC
