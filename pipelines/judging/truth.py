"""Judges that know the right answer: pixels, hidden parameters of the drawn world, classes of a label map."""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np

from data.domain.palette import VOID, Palette
from data.world.characters import RANGES, LookName, Pose
from data.world.fitting import read_pose
from data.world.worlds import poses_from_json, world_of
from pipelines.judging.judge import Mean, Moment, PerFrame
from pipelines.judging.measures import Value
from recycle.measures.labels import Confusion, class_accuracy, class_iou, pixel_accuracy
from recycle.measures.metrics import ClipPsnr, Correlation, absolute_error, ssim

SMALLEST_PX = 32
"""Side of frames that poses are read from."""
DRAWN_LEVELS = 12
"""Mean difference in grey levels up to which a picture is taken for the drawing of its pose, after encoding."""
MARGIN_PX, SWATCH_PX, CELL_PX = 150, 14, 36
"""Of the picture of a confusion matrix: names and colours above and beside it, and its cells."""
DARKEST = (20, 60, 120)
"""Colour of a cell that holds all of its row."""


class Likeness:
    """Against the truth, pixel by pixel."""

    def __init__(self) -> None:
        self._psnr, self._ssim = ClipPsnr(), Mean()

    def see(self, moment: Moment) -> PerFrame:
        assert moment.truth is not None
        return {
            ("psnr", moment.number): self._psnr.add(moment.result, moment.truth),
            ("ssim", moment.number): self._ssim.add(ssim(moment.result, moment.truth)),
        }

    def values(self) -> dict[str, Value]:
        return {"psnr": self._psnr.value, "ssim": self._ssim.or_why("the frames are smaller than its window of 11 px")}


class HiddenParameters:
    """On a drawn world: the pose read back from the result, against the pose that the truth was drawn with.

    The one value is of head and face; what the world has beside them (light, background) stands in the table.
    """

    def __init__(self, poses: Sequence[Pose]) -> None:
        """poses: of the truth, frame by frame."""
        self._poses = poses
        self._world = world_of(poses)
        self._read: list[Pose] = []
        self._look: LookName | None = None
        self._why = "the truth has no frames"

    def see(self, moment: Moment) -> PerFrame:
        if moment.number == 0:
            self._look, self._why = _drawn_look(moment, self._poses)
        if self._look is None or moment.number % self._world.read_every:
            return {}
        found = read_pose(moment.result, self._look, self._world, self._read[-1] if self._read else None)
        self._read.append(found)
        wanted = self._poses[moment.number]
        parts = [
            abs(getattr(found, name) - getattr(wanted, name)) / (high - low) for name, (low, high) in RANGES.items()
        ]
        return {("parameters", moment.number): 100 * float(np.mean(parts))}

    def values(self) -> dict[str, Value]:
        table = self.table()
        if table is None:
            return {"parameters": self._why}
        return {"parameters": 100 * float(np.mean([table[name]["part_of_range"] for name in RANGES]))}

    def table(self) -> dict[str, dict[str, Any]] | None:
        """A row a parameter: range, mean absolute error, the same as a part of the range, correlation over time (None
        where one side does not change). None where nothing could be read.
        """
        if not self._read:
            return None
        rows = {}
        for name, (low, high) in self._world.ranges.items():
            poses = self._poses[:: self._world.read_every][: len(self._read)]
            found, wanted = (np.array([getattr(pose, name) for pose in side]) for side in (self._read, poses))
            error = float(np.abs(found - wanted).mean())
            together = Correlation()
            together.add(found, wanted)
            rows[name] = {
                "range": [low, high],
                "mean_error": error,
                "part_of_range": error / (high - low),
                "correlation": together.value,
            }
        return rows


def hidden_poses(truth: Path) -> list[Pose] | None:
    """The hidden parameters beside a drawn clip, as `retarget demo` leaves them; None where there are none."""
    try:
        return poses_from_json(truth.with_suffix(".json").read_text())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _drawn_look(moment: Moment, poses: Sequence[Pose]) -> tuple[LookName | None, str]:
    """Which character the truth shows, or why that cannot be said."""
    assert moment.truth is not None
    height, width = moment.truth.shape[:2]
    if height != width or height < SMALLEST_PX:
        return None, f"poses are read from square frames from {SMALLEST_PX} px up"
    draw = world_of(poses).draw
    errors = {look: absolute_error(moment.truth, draw(poses[0], look, height)) for look in get_args(LookName)}
    look = min(errors, key=lambda name: errors[name])
    if errors[look] > DRAWN_LEVELS:
        return None, "the truth is not drawn in the poses that lie beside it"
    return look, ""


class LabelScores:
    """On label maps: pixels by the class that they should have and the class that they have."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._confusion = Confusion(palette.colours, palette.void)

    def see(self, moment: Moment) -> PerFrame:
        assert moment.truth is not None
        return {("pixel_accuracy", moment.number): self._confusion.add(moment.result, moment.truth)}

    def values(self) -> dict[str, Value]:
        scores = {"pixel_accuracy": pixel_accuracy, "class_accuracy": class_accuracy, "class_iou": class_iou}
        known = {name: score(self._confusion.counts) for name, score in scores.items()}
        return {name: "all of the truth is void" if value is None else value for name, value in known.items()}

    def table(self) -> dict[str, Any]:
        """Classes, what is left out, and the counts, truth by result."""
        void = None if self._palette.void is None else VOID
        known = {name: None if isinstance(value, str) else value for name, value in self.values().items()}
        return {"classes": self._palette.classes, "void": void, "confusion": self._confusion.counts.tolist()} | known

    def picture(self) -> np.ndarray:
        """The counts as a picture: a row a class of the truth, a column a class of the result, the row's shares."""
        counts, classes = self._confusion.counts, self._palette.classes
        size = len(classes)
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        side = MARGIN_PX + size * CELL_PX
        canvas = np.full((side, side, 3), 255, np.uint8)
        for place, text in enumerate(("row: truth", "column: result", "% of the row")):
            _write(canvas, text, (4, 16 + 16 * place))
        swatches = np.delete(self._palette.colours, [] if self._palette.void is None else [self._palette.void], axis=0)
        for place, (name, colour) in enumerate(zip(classes, swatches, strict=True)):
            start = MARGIN_PX + place * CELL_PX
            canvas[start : start + CELL_PX, MARGIN_PX - SWATCH_PX : MARGIN_PX - 2] = colour
            canvas[MARGIN_PX - SWATCH_PX : MARGIN_PX - 2, start : start + CELL_PX] = colour
            label = np.full((CELL_PX, MARGIN_PX - SWATCH_PX, 3), 255, np.uint8)
            _write(label, name, (4, CELL_PX // 2 + 4))
            canvas[start : start + CELL_PX, : MARGIN_PX - SWATCH_PX] = label
            canvas[: MARGIN_PX - SWATCH_PX, start : start + CELL_PX] = label.transpose(1, 0, 2)[::-1]
        for row, column in np.ndindex(size, size):
            top, left = MARGIN_PX + row * CELL_PX, MARGIN_PX + column * CELL_PX
            cell = canvas[top : top + CELL_PX - 1, left : left + CELL_PX - 1]
            share = shares[row, column]
            cell[:] = np.rint(255 + share * (np.array(DARKEST) - 255))
            _write(cell, f"{100 * share:.0f}", (6, CELL_PX // 2 + 4), DARKEST if share < 0.5 else (255, 255, 255))
        return canvas


def _write(picture: np.ndarray, text: str, place: tuple[int, int], colour: Sequence[int] = (32, 32, 32)) -> None:
    """A line of text into a picture that need not be contiguous. OpenCV has ASCII only: letters lose their accents."""
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    plain = "".join(letters).encode("ascii", "replace").decode()
    own = np.ascontiguousarray(picture)
    cv2.putText(own, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, tuple(map(int, colour)), 1, cv2.LINE_AA)
    picture[:] = own
