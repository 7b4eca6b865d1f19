"""Which part of a crop is the face: masks by which a translated crop is laid into its frame."""

import cv2
import numpy as np


def face_mask(size: int, points: np.ndarray | None = None) -> np.ndarray:
    """(size, size) float32 in [0, 1]: 1 on the face, feathered, exactly 0 along the crop's border.

    `points`: (68, 2) landmarks in crop coordinates give their hull with the forehead; anything else the same rounded
    oval for every frame, so that a mask of five jumpy points cannot flicker.
    """
    y, x = (np.mgrid[0:size, 0:size] + 0.5) / size
    # A superellipse around the template's face: 1 up to 0.75 of its radius, 0 from its rim on, which keeps a
    # margin of 5 % of the crop.
    radius = (np.abs((x - 0.5) / 0.38) ** 2.5 + np.abs((y - 0.51) / 0.44) ** 2.5) ** (1 / 2.5)
    oval = _smoothstep((1 - radius) / 0.25)
    if points is None or np.shape(points) != (68, 2):
        return oval
    points = np.asarray(points, np.float64)
    # No landmark is above the brows: the forehead is taken as far above the brows as the nose's root-to-tip length.
    forehead = points[17:27] + (points[27] - points[30])
    hull = cv2.convexHull(np.vstack([points, forehead]).astype(np.float32))[:, 0].astype(np.float64)
    # To every edge's line, inwards: exact inside, and not a pixel is rounded.
    edge = np.roll(hull, -1, axis=0) - hull
    normal = np.column_stack([-edge[:, 1], edge[:, 0]]) / np.maximum(np.linalg.norm(edge, axis=1), 1e-9)[:, None]
    normal *= np.sign(((hull.mean(0) - hull) * normal).sum(1))[:, None]
    rows, columns = np.mgrid[0:size, 0:size]
    distance = np.full((size, size), np.inf)
    for corner, inwards in zip(hull, normal, strict=True):
        np.minimum(distance, (columns - corner[0]) * inwards[0] + (rows - corner[1]) * inwards[1], out=distance)
    distance += 0.03 * size  # landmarks lie on the rim
    return np.minimum(_smoothstep(distance / (0.08 * size)), _smoothstep((1.08 - radius) / 0.1))


def _smoothstep(x: np.ndarray) -> np.ndarray:
    t = np.clip(x, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
