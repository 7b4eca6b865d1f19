"""Frames in which something is before the face: where it looks otherwise than in most frames of its track and pose, and
the detector is less sure of it. An open mouth or a frown looks otherwise too, and the detector is as sure as ever."""

from collections.abc import Sequence

import numpy as np

from data.faces.align import five_points

# Likeness (data.faces.appearance) of a frame to the usual look of its track. Of five talking people: open frames have
# 0.9 to 0.99; with a hand over the mouth 0.70 to 0.86, with hair over an eye 0.5 to 0.7, half hidden 0.3 to 0.6.
_MOST_DROP, _MOST_DEVIATIONS = 0.10, 4.0  # below the median of the track; in median deviations
# YuNet's score of four talking people is 0.94 to 0.96 with a mouth shut or wide open, 0.93 with the head turned and the
# chin out of the picture, 0.90 to 0.93 with fingers over the mouth or hair over an eye.
_SCORE_DROP = 0.016
_POSE_STEP = 0.5  # of the eyes-to-mouth distance that the nose moves sideways: another pose, another look
_LEAST_FRAMES = 15  # of a pose, else its usual look is not known
_USUAL = 0.6  # of its frames make the usual look: those nearest to the mean of all


def hidden(looks: Sequence[np.ndarray | None], points: Sequence[np.ndarray], scores: Sequence[float]) -> np.ndarray:
    """(t,) bool: in which frames of one track something hides the face, as far as looks and scores tell.

    looks: description of each frame's face; None where it was not seen, which says nothing. points: (5, 2) of each.
    scores: the detector's, in [0, 1].
    """
    marks = np.zeros(len(looks), bool)
    poses = np.array([round(_sideways(found) / _POSE_STEP) for found in points])
    for pose in set(poses.tolist()):
        frames = [frame for frame in range(len(looks)) if poses[frame] == pose and looks[frame] is not None]
        if len(frames) < _LEAST_FRAMES:
            continue
        described = np.stack([look for frame in frames if (look := looks[frame]) is not None]).astype(np.float64)
        likeness = described @ _unit(described.mean(0))
        nearest = described[np.argsort(-likeness)[: round(_USUAL * len(frames))]]
        likeness = described @ _unit(nearest.mean(0))
        usual = np.median(likeness)
        deviation = np.median(np.abs(likeness - usual))
        sure = np.array([scores[frame] for frame in frames])
        unsure = sure < np.median(sure) - _SCORE_DROP
        marks[frames] = unsure & (likeness < usual - max(_MOST_DROP, _MOST_DEVIATIONS * deviation))
    return marks


def _sideways(points: np.ndarray) -> float:
    """How far the nose is beside the middle of the eyes, over the distance from eyes to mouth."""
    right_eye, left_eye, nose, right_corner, left_corner = five_points(points)
    eyes = (right_eye + left_eye) / 2
    down = (right_corner + left_corner) / 2 - eyes
    length = max(float(np.hypot(*down)), 1e-9)
    across = np.array([down[1], -down[0]]) / length
    return float((nose - eyes) @ across) / length


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)
