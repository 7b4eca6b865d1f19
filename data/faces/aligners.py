"""Which backend finds the faces: the one asked for, or the first that works."""

from collections.abc import Callable
from pathlib import Path

from data.errors import MissingModelError, SettingsError
from data.faces.detection import Backend
from data.faces.haar import Haar
from data.faces.yunet import YuNet
from data.models import find_model


def open_aligner(
    name: str, models_folder: Path | None, on_note: Callable[[str], None], device: str | None = None
) -> Backend:
    """The backend called `name`: "fan", "yunet", "haar", or "auto" for the first of these that works.

    `auto` says in one line through `on_note` what it took and what it went without. `device`: where FAN runs
    ("cpu", "cuda"); None takes the GPU where there is one.
    Raises MissingModelError when the one asked for by name lacks its file, SettingsError for an unknown name.
    """
    if name == "haar":
        return Haar()
    if name == "yunet":
        return YuNet(find_model("yunet", models_folder))
    if name == "fan":
        from data.faces.fan import Fan  # torch and face-alignment take seconds to import

        weights = find_model("fan", models_folder)
        return Fan(weights, box_finder(models_folder), device)
    if name != "auto":
        raise SettingsError(f"aligner {name!r}: choose one of auto, fan, yunet, haar, none")
    without = []
    for candidate in ("fan", "yunet"):
        try:
            backend = open_aligner(candidate, models_folder, on_note, device)
        except MissingModelError as error:
            without.append(str(error))
            continue
        on_note(_choice_note(candidate, without))
        return backend
    on_note(_choice_note("haar", without))
    return Haar()


def _choice_note(chosen: str, without: list[str]) -> str:
    return f"aligner: {chosen}" + "".join(f"; {reason}" for reason in without)


def box_finder(models_folder: Path | None) -> Backend:
    """What finds faces where their landmarks are not wanted: YuNet where its file is, else OpenCV's cascades."""
    try:
        return YuNet(find_model("yunet", models_folder))
    except MissingModelError:
        return Haar()
