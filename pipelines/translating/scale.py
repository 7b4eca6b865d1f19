"""At which size whole frames are translated."""

from data.errors import SettingsError
from pipelines.translating.paint import WholeFrames
from pipelines.translating.translation import Translation
from recycle.methods.base import Direction

LEAST_PX = 32


def whole_frames(job: Translation, scale: str, direction: Direction | None = None) -> WholeFrames:
    """What translates whole frames, by default in the job's direction. scale: as the option takes it.

    Raises SettingsError.
    """
    direction = direction or job.direction
    width, height = job.source.info.display_size
    px = short_side(scale, job.face_px)
    if px is None or px == min(width, height):
        return WholeFrames(job.method, direction)
    factor = px / min(width, height)
    return WholeFrames(job.method, direction, at=(max(px, round(width * factor)), max(px, round(height * factor))))


def short_side(scale: str, training_px: int) -> int | None:
    """Shorter side in pixels; None for the frame's own. Raises SettingsError."""
    if scale == "native":
        return None
    if scale == "training":
        return training_px
    if not scale.isdecimal() or int(scale) < LEAST_PX:
        raise SettingsError(f"--scale {scale}: give training, native, or a shorter side in pixels from {LEAST_PX} up")
    return int(scale)


def refuse_for_faces(scale: str, default: str) -> None:
    """Faces are always cut at the scale that they were learned at. Raises SettingsError."""
    short_side(scale, LEAST_PX)
    if scale != default:
        raise SettingsError(f"--scale {scale}: is for whole frames; faces are cut at the scale they were learned at")
