"""What training and `retarget evaluate` left in a run's folder, as the report and the study read it."""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from data.disk import check_name
from data.errors import MissingInputError, RetargetError, SettingsError
from data.video.container import main_video_stream, open_local, time_base_of
from recycle.config import MethodConfig, TrainingConfig, from_json
from recycle.runs.runfolder import letters

FORMAT = 1
KINDS = ("source", "result", "truth")
"""The videos that an evaluation leaves, in the order to show them; the last only where the truth is known."""


@dataclass(frozen=True)
class Run:
    """A run's folder and its config.json: the whole `content`, and what the method and training were given."""

    folder: Path
    content: dict[str, Any]
    method: MethodConfig
    training: TrainingConfig

    @property
    def settings(self) -> dict[str, Any]:
        return self.content["settings"]

    @property
    def names(self) -> tuple[str, ...]:
        """Of domains A and B, and of what others there are."""
        return tuple(Path(self.settings[letter]).name for letter in letters(self.settings))


def read_run(folder: Path) -> Run:
    """Raises MissingInputError, SettingsError."""
    path = folder / "config.json"
    try:
        content = json.loads(path.read_bytes())
        settings = content["settings"]
        _ = Path(settings["a"]), Path(settings["b"]), settings["method"], content["computes_in"]
        method = from_json(MethodConfig, settings["config"])
        return Run(folder, content, method, from_json(TrainingConfig, content["training"]))
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(f"{path}: not there, so {folder} is no run; make one: retarget train A B") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: damaged, or of another version; put back what training wrote") from error


@dataclass(frozen=True)
class Evaluation:
    """`content` is that of evaluation.json. videos: kind -> file, with the same frames at the same times."""

    content: dict[str, Any]
    videos: dict[str, Path]


def read_evaluation(run: Path, folder: Path | None = None) -> Evaluation | None:
    """The evaluation of a run, in its own folder or in another one; None where there is none.

    Raises SettingsError for a damaged or foreign one.
    """
    path = (folder or run / "evaluation") / "evaluation.json"
    again = f"make it anew with: retarget evaluate --run {run}"
    try:
        content = json.loads(path.read_bytes(), parse_constant=_no_number)
        if content["format"] != FORMAT:
            raise SettingsError(f"{path}: of another version; {again}")
        videos = {
            kind: path.parent / check_name(content["videos"][kind], f"{path}: video")
            for kind in KINDS
            if kind in content["videos"]
        }
        _check(content)
        return Evaluation(content, videos)
    except FileNotFoundError:
        return None
    except RetargetError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: damaged; {again}") from error


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _check(content: dict[str, Any]) -> None:
    """Raises ValueError, KeyError, TypeError where something is not as evaluation writes it."""
    texts = ("input", "method", "weights", "direction", "rate")
    if not all(isinstance(content[name], str) for name in texts) or not isinstance(content["step"], int):
        raise TypeError
    if not isinstance(content["truth"], str | None):
        raise TypeError
    Fraction(content["rate"])
    frames = content["frames"]
    if any(len(values) != frames for values in content.get("per_frame", {}).values()):
        raise ValueError("not a value a frame")
    for moments in content.get("worst", {}).values():
        if any(not 0 <= moment["frame"] < frames for moment in moments):
            raise ValueError("a moment that is not in the clip")
    if not all({"name", "title", "value", "better"} <= measure.keys() for measure in content["measures"]):
        raise ValueError("a measure without its name")


def frame_times(video: Path) -> list[float]:
    """Seconds at which each frame begins, from the packets: nothing is decoded.

    Raises MissingInputError, NotAVideoError.
    """
    with open_local(video) as container:
        stream = main_video_stream(container, video)
        base = time_base_of(stream)
        stamps = sorted({packet.pts for packet in container.demux(stream) if packet.pts is not None})
    if not stamps:
        raise MissingInputError(f"{video}: no frame in it; make it anew with: retarget evaluate")
    return [float(stamp * base) for stamp in stamps]
