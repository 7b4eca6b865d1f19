"""Points steady on a still face and prompt on a moving one: what was found, held together by how the picture moved."""

from collections.abc import Sequence

import numpy as np

from data.faces.align import face_width

# In face widths. How far points may leave the face's own motion within one frame: expression, and a turn of the head,
# which no similarity follows.
_SLACK = 0.001
_LOST = 0.06  # where it is not known how the picture moved
_TAIL = 4.0  # degrees of freedom of Student's t: what is far off, of either kind, counts for less
_ROUNDS = 4


def smooth_track(
    points: np.ndarray,
    motions: Sequence[np.ndarray | None],
    jitter: np.ndarray | float,
    spreads: np.ndarray | None = None,
) -> np.ndarray:
    """(t, n, 2) points of one track, each frame's given all others: a Kalman smoother, forwards and backwards.

    motions: (2, 3) similarity from the frame before to each frame, as `motion.MotionFinder` sees it; None where it is
        not known; the first is not used. jitter: standard deviation of the points as found, in face widths, one or
        (t,). spreads: (t,) of each motion about itself, in face widths.

    State: the points; p_t = M_t p_{t-1} + slack, seen with jitter. As all M_t are similarities, one variance does for
    all points and both axes. Rauch, Tung and Striebel (1965); heavy tails by reweighting (Aravkin et al. 2014).
    """
    points = np.asarray(points, np.float64)
    if len(points) < 2:
        return points.copy()
    width = max(float(np.median([face_width(frame) for frame in points])), 1e-9)
    spread = np.zeros(len(points)) if spreads is None else np.asarray(spreads, np.float64)
    known = np.array([motion is not None for motion in motions])
    slack = np.where(known, np.hypot(_SLACK, spread), _LOST) * width
    noise = np.broadcast_to(np.asarray(jitter, np.float64) * width, len(points))
    maps = [np.eye(2, 3) if motion is None else np.asarray(motion, np.float64) for motion in motions]
    process, measure = slack**2, noise**2
    smooth = points
    for _ in range(_ROUNDS):
        smooth = _rts(points, maps, process, measure)
        off = ((smooth - points) ** 2).mean((1, 2))
        measure = noise**2 * (_TAIL + off / noise**2) / (_TAIL + 1)
        left = np.zeros(len(points))
        left[1:] = [((smooth[t] - _moved(maps[t], smooth[t - 1])) ** 2).mean() for t in range(1, len(points))]
        process = slack**2 * (_TAIL + left / slack**2) / (_TAIL + 1)
    return smooth


def _rts(points: np.ndarray, maps: list[np.ndarray], process: np.ndarray, measure: np.ndarray) -> np.ndarray:
    """One pass forwards and one back. process, measure: (t,) variances in square pixels."""
    guess, guess_variance = np.empty_like(points), np.empty(len(points))
    state, variance = np.empty_like(points), np.empty(len(points))
    state[0], variance[0] = points[0], measure[0]
    for t in range(1, len(points)):
        guess[t] = _moved(maps[t], state[t - 1])
        guess_variance[t] = _area(maps[t]) * variance[t - 1] + process[t]
        gain = guess_variance[t] / (guess_variance[t] + measure[t])
        state[t] = guess[t] + gain * (points[t] - guess[t])
        variance[t] = (1 - gain) * guess_variance[t]
    for t in range(len(points) - 2, -1, -1):
        # C = P M^T / P'; rows are points, so M^T on the right of a column is M on the right of a row.
        back = variance[t] / guess_variance[t + 1]
        state[t] += back * (state[t + 1] - guess[t + 1]) @ maps[t + 1][:, :2]
    return state


def _moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _area(matrix: np.ndarray) -> float:
    return abs(float(np.linalg.det(matrix[:, :2])))
