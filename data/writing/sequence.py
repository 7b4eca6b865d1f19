"""Pictures that leave as PNG files: a sequence with the times of its source in a table, or a single one."""

import csv
import io
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from data.disk import make_folder, output_errors, put_in_place, remove_folder, write_bytes, write_json
from data.errors import OutputError, SettingsError
from data.video.frame import Frame, VideoInfo
from durable.files import partial_path

TABLE, ABOUT = "times.csv", "about.json"
_PIXELS_A_METRE = 10_000
_QUICK = 3  # of zlib's 9 levels: a fifth larger than the usual one, in a third of the time


def png(rgb: np.ndarray, metadata: dict[str, str], sample_aspect: Fraction = Fraction(1)) -> bytes:
    """(height, width, 3) uint8 as a PNG file with texts. sample_aspect: width of a pixel over its height."""
    info = PngInfo()
    for key, value in metadata.items():
        info.add_itxt(key, value)
    if sample_aspect != 1:
        across, down = round(_PIXELS_A_METRE / sample_aspect), _PIXELS_A_METRE
        info.add(b"pHYs", across.to_bytes(4, "big") + down.to_bytes(4, "big") + b"\1")
    content = io.BytesIO()
    Image.fromarray(rgb).save(content, "PNG", pnginfo=info, compress_level=_QUICK)
    return content.getvalue()


class SequenceWriter:
    """Writes consecutive frames into a folder that appears when it is whole; as `SegmentWriter` is used.

    metadata: texts that every picture carries. notes: lines for the user; none.
    """

    def __init__(self, folder: Path, *, source: VideoInfo, metadata: dict[str, str]) -> None:
        self.notes: list[str] = []
        self._folder, self._partial = folder, partial_path(folder)
        self._source, self._metadata = source, metadata
        self._rows: list[tuple[int, Fraction]] = []

    def __enter__(self) -> "SequenceWriter":
        remove_folder(self._partial)
        make_folder(self._partial)
        return self

    def write(self, frame: Frame) -> None:
        """Adds one frame."""
        self._rows.append((frame.pts, frame.time_base))
        content = png(frame.rgb, self._metadata, self._source.sample_aspect)
        with output_errors(self._folder):
            (self._partial / _name(len(self._rows))).write_bytes(content)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            write_bytes(self._partial / TABLE, _table(self._rows))
            remove_folder(self._folder)
            put_in_place(self._partial, self._folder)
        else:
            remove_folder(self._partial)


def join_sequences(
    parts: Sequence[Path],
    folder: Path,
    metadata: dict[str, str],
    finish: Callable[[Path, Path], None] | None = None,
) -> None:
    """Makes `folder` of the pictures of `parts`, numbered from 1, with their times in times.csv; about.json holds
    `metadata`. finish: makes of each picture the one that leaves, at another path. The folder appears whole; an earlier
    sequence is replaced. Raises OutputError, SettingsError.
    """
    check_folder(folder)
    partial = partial_path(folder)
    remove_folder(partial)
    make_folder(partial)
    rows = []
    for part in parts:
        for picture, pts, time_base in read_table(part):
            rows.append((pts, time_base))
            with output_errors(folder):
                (finish or _same_file)(part / picture, partial / _name(len(rows)))
    if not rows:
        raise OutputError(f"{folder}: no frame to write; is the chosen part of the video empty?")
    write_bytes(partial / TABLE, _table(rows))
    write_json(partial / ABOUT, metadata)
    if folder.exists():
        with output_errors(folder):
            shutil.rmtree(folder)
    put_in_place(partial, folder)


def check_folder(folder: Path) -> None:
    """Raises SettingsError where there is something else than a sequence."""
    if folder.exists() and not (folder / ABOUT).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder}: is there and holds something else; give another --output")


def read_table(folder: Path) -> list[tuple[str, int, Fraction]]:
    """(file name, presentation time in units, seconds a unit) of every picture of a sequence."""
    with (folder / TABLE).open(newline="") as lines:
        return [(row["picture"], int(row["pts"]), Fraction(row["time_base"])) for row in csv.DictReader(lines)]


def _table(rows: list[tuple[int, Fraction]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["picture", "seconds", "pts", "time_base"])
    for number, (pts, time_base) in enumerate(rows, 1):
        writer.writerow([_name(number), f"{float(pts * time_base):.6f}", pts, time_base])
    return text.getvalue().encode()


def _name(number: int) -> str:
    return f"{number:06d}.png"


def _same_file(source: Path, target: Path) -> None:
    """The same content under another name, without a second copy where the disk can."""
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)
