"""Pictures in files, and sheets of pictures to look at."""

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from data.disk import output_errors, write_bytes
from data.domain.reading import HEIF, PLAIN, SUFFIXES, Reading
from data.errors import PictureError


def pictures_in(folder: Path, *, deep: bool = False) -> list[Path]:
    """The pictures of a folder, and where `deep` of its sub-folders, in natural order."""
    return natural_order([path for path in files_in(folder, deep=deep) if path.suffix.lower() in SUFFIXES], folder)


def natural_order(paths: list[Path], folder: Path) -> list[Path]:
    """2.jpg before 10.jpg; `paths` are inside `folder`."""

    def natural(path: Path) -> list[tuple[int, str]]:
        text = str(path.relative_to(folder)).lower()
        return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", text)]

    return sorted(paths, key=natural)


def left_out(folder: Path) -> list[str]:
    """The files of a folder and its sub-folders that are not taken, each with its reason."""
    others = sorted(path for path in files_in(folder, deep=True) if path.suffix.lower() not in SUFFIXES)
    reasons = dict.fromkeys(HEIF, "needs pip install -e '.[heif]', or save it as JPEG")
    return [f"{path.relative_to(folder)} ({reasons.get(path.suffix.lower(), 'no picture')})" for path in others]


def notes_on(folder: Path, reading: Reading) -> list[str]:
    """Lines for the user on which files of a folder are read and how. Raises PictureError."""
    notes = []
    if others := left_out(folder):
        more = f", and {len(others) - 5} more" if len(others) > 5 else ""
        notes.append(f"{folder}: {len(others)} left out: {', '.join(others[:5])}{more}")
    if any(map(reading.transparent, pictures_in(folder, deep=True))):
        notes.append(f"{folder}: what is transparent lies on #{bytes(reading.background).hex()}")
    if reading.bits < 16:
        notes.append(f"{folder}: {reading.bits} of 16 bits are used, and taken for full scale")
    return notes


def files_in(folder: Path, *, deep: bool) -> list[Path]:
    """The files of a folder that are not hidden."""
    paths = folder.rglob("*") if deep else folder.iterdir()
    hidden = (path for path in paths if path.is_file())
    return [path for path in hidden if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def read_picture(path: Path) -> np.ndarray:
    """The picture as (height, width, 3) uint8 RGB: turned as its EXIF says, alpha on white, 16 bits at full scale.

    Raises MissingInputError, PictureError.
    """
    return PLAIN.picture(path)


def looks_whole(path: Path) -> bool:
    """Whether a JPEG or PNG file begins and ends as one does: not what was cut off, overwritten or emptied."""
    ends = {".png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")}.get(path.suffix, (b"\xff\xd8\xff", b"\xff\xd9"))
    try:
        with path.open("rb") as file:
            head = file.read(len(ends[0]))
            file.seek(max(0, path.stat().st_size - len(ends[1])))
            return (head, file.read()) == ends
    except OSError:
        return False


def encode_jpeg(rgb: np.ndarray, quality: int = 95) -> bytes:
    """(height, width, 3) uint8 RGB as JPEG bytes, colour at full resolution."""
    options = [
        *(cv2.IMWRITE_JPEG_QUALITY, quality),
        *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ]
    encoded, content = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not encoded:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be a JPEG")
    return content.tobytes()


def encode_smaller(rgb: np.ndarray) -> tuple[bytes, bool]:
    """(height, width, 3) uint8 RGB as PNG where that is smaller than JPEG, as of what is drawn; and whether it is.

    What is far from drawn is not tried: PNG takes time.
    """
    jpeg = encode_jpeg(rgb)
    neighbours = rgb[:, 1:] == rgb[:, :-1]
    if neighbours.all(axis=2).mean() < _EVEN:
        return jpeg, False
    png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    return (png, True) if len(png) < len(jpeg) else (jpeg, False)


_EVEN = 0.3
"""Part of a drawn picture's pixels that are as the one beside them; of a photograph's hardly any."""


def write_picture(path: Path, rgb: np.ndarray) -> None:
    """Writes one JPEG as `write_plainly` does. Raises OutputError."""
    write_plainly(path, encode_jpeg(rgb))


def write_plainly(path: Path, content: bytes) -> None:
    """Writes a picture, not flushed: for the many pictures of a clip, which is put in place as a whole.

    Raises OutputError.
    """
    with output_errors(path):
        path.write_bytes(content)


def write_sheet(path: Path, rgb: np.ndarray) -> None:
    """Writes a sheet as JPEG or, by its suffix, PNG: whole or not at all. Raises OutputError."""
    if path.suffix == ".png":
        write_bytes(path, cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes())
    else:
        write_bytes(path, encode_jpeg(rgb, 90))


def resize(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`rgb` at (width, height): where it shrinks by a Lanczos kernel as wide as the new pixels, which keeps what they
    can hold at any scale, else bicubic."""
    height, width = rgb.shape[:2]
    if (width, height) == size:
        return rgb
    if size[0] < width or size[1] < height:
        return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC)


def cut_apart(rgb: np.ndarray, across: int, path: Path) -> list[np.ndarray]:
    """The pictures that lie side by side in the one at `path`, left to right: cut apart before anything else, no later
    resizing bleeds over the seams. Raises PictureError.
    """
    if rgb.shape[1] % across:
        raise PictureError(
            f"{path}: {rgb.shape[1]} pixels wide, which {across} pictures side by side cannot share; remove it"
        )
    return np.split(rgb, across, axis=1)


def fitted(rgb: np.ndarray, width: int, height: int) -> np.ndarray:
    """`rgb` made to cover width x height and cut to it in the middle: pictures of a folder come in many sizes."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    rgb = resize(rgb, (max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale))))
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return rgb[top : top + height, left : left + width]


def captioned(rgb: np.ndarray, text: str) -> np.ndarray:
    """`rgb` with a line of text on a strip above it, cut to the picture's width."""
    width = rgb.shape[1]
    strip = np.full((18, width, 3), 32, np.uint8)
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(strip, plain, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (235, 235, 235), 1, cv2.LINE_AA)
    return np.concatenate([strip, rgb])


def sheet(rows: Sequence[Sequence[np.ndarray]], gap: int = 4) -> np.ndarray:
    """Rows of pictures as one: each cell as large as the largest picture, centred on grey."""
    cell_height = max(picture.shape[0] for row in rows for picture in row)
    cell_width = max(picture.shape[1] for row in rows for picture in row)
    columns = max(len(row) for row in rows)
    height, width = len(rows) * (cell_height + gap) + gap, columns * (cell_width + gap) + gap
    canvas = np.full((height, width, 3), 64, np.uint8)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            top = gap + r * (cell_height + gap) + (cell_height - picture.shape[0]) // 2
            left = gap + c * (cell_width + gap) + (cell_width - picture.shape[1]) // 2
            canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return canvas


def sharpness(rgb: np.ndarray) -> float:
    """Variance of the Laplacian of the grey picture (Pech-Pacheco et al. 2000): low means blurred."""
    return float(cv2.Laplacian(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
