"""Where reading a drawn frame begins: at the nearest of many drawings, by place and tilt, then by face."""

import math
from functools import lru_cache

import cv2
import numpy as np
from scipy.stats import qmc

from data.world.characters import LookName, Pose
from data.world.worlds import DrawnWorld

FACE = slice(3, 7)
"""Of the ranges: mouth, smile, eyes and brows; before them place and tilt, behind them the surroundings."""
ROUGH_PX, FINE_PX = 32, 64
_BANK_POWER = 10  # 2 ** 10 drawings
_BANK_PX = 16
_PATCH_PX, _PATCH_SIDE, _PATCH_CORNER = 28, 0.5, (-0.25, -0.23)  # brows to chin, from the head's middle
_NEIGHBOURS = 12


@lru_cache
def _limits(world: DrawnWorld) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.array(list(world.ranges.values())).T
    return low, high


def shares_of(pose: Pose, world: DrawnWorld) -> np.ndarray:
    """(n,) float64: where in its range each parameter is, 0 to 1."""
    low, high = _limits(world)
    return (np.array([getattr(pose, name) for name in world.ranges]) - low) / (high - low)


def pose_of(shares: np.ndarray, world: DrawnWorld) -> Pose:
    """The pose at these shares (n,) of the ranges, no further than they go."""
    low, high = _limits(world)
    values = np.clip(low + (high - low) * shares[: len(low)], low, high)
    return world.pose(**dict(zip(world.ranges, values.tolist(), strict=True)))


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A picture under a Gaussian of `sigma` sides."""
    return cv2.GaussianBlur(picture, (0, 0), sigma * len(picture))


def reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """float32, at most `side` pixels wide and high."""
    picture = picture.astype(np.float32)
    return picture if len(picture) <= side else cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def evenly_spread(dimensions: int) -> np.ndarray:
    """(1024, dimensions) in [0, 1), evenly spread and the same each time."""
    return qmc.Sobol(dimensions, scramble=False).random_base2(_BANK_POWER)


def _signature(picture: np.ndarray) -> np.ndarray:
    """A small picture as a row of numbers, less its mean colour."""
    return (picture - picture.mean((0, 1))).ravel()


def _distances(signatures: np.ndarray, signature: np.ndarray) -> np.ndarray:
    return ((signatures - signature) ** 2).sum(axis=1)


@lru_cache
def _place_bank(look: LookName, world: DrawnWorld) -> tuple[np.ndarray, np.ndarray]:
    shares = evenly_spread(len(world.ranges))
    drawings = (world.draw(pose_of(row, world), look, ROUGH_PX) for row in shares)
    return shares, np.stack([_signature(reduced(drawing, _BANK_PX)) for drawing in drawings])


def nearest_place(frame: np.ndarray, look: LookName, world: DrawnWorld) -> np.ndarray:
    """(n,) shares of the drawing nearest to the frame as a whole, which is to say in place and tilt."""
    shares, signatures = _place_bank(look, world)
    return shares[np.argmin(_distances(signatures, _signature(reduced(frame, _BANK_PX))))]


@lru_cache
def _face_bank(look: LookName, world: DrawnWorld) -> tuple[np.ndarray, np.ndarray]:
    shares = np.full((1 << _BANK_POWER, len(world.ranges)), 0.5)
    shares[:, FACE] = evenly_spread(FACE.stop - FACE.start)
    drawings = (world.draw(pose_of(row, world), look, FINE_PX) for row in shares)
    return shares[:, FACE], np.stack([_face(d, row, world) for d, row in zip(drawings, shares, strict=True)])


def nearest_faces(frame: np.ndarray, look: LookName, world: DrawnWorld, placed: np.ndarray) -> np.ndarray:
    """(12, 4) shares of mouth, smile, eyes and brows: the faces most like the one at this place, nearest first."""
    shares, signatures = _face_bank(look, world)
    signature = _face(frame, placed, world)
    return shares[np.argsort(_distances(signatures, signature), kind="stable")[:_NEIGHBOURS]]


def _face(frame: np.ndarray, placed: np.ndarray, world: DrawnWorld) -> np.ndarray:
    """The signature of the face, turned upright."""
    pose, picture = pose_of(placed, world), reduced(frame, FINE_PX)
    pixel = _PATCH_SIDE / _PATCH_PX
    cosine, sine = math.cos(math.radians(pose.tilt)), math.sin(math.radians(pose.tilt))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    corner = turn @ (np.array(_PATCH_CORNER) + 0.5 * pixel) + world.head + np.array([pose.x, pose.y])
    matrix = np.column_stack([turn * pixel, corner]) * len(picture)
    matrix[:, 2] -= 0.5  # pixel centres lie at integers for cv2
    soft = blurred(picture, 0.6 * pixel)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(soft, matrix, (_PATCH_PX, _PATCH_PX), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return _signature(patch)
