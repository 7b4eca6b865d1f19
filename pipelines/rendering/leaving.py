"""What `render` leaves: a video file, or a folder of pictures; in parts, so that an interruption costs little."""

import dataclasses
import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from data.disk import make_folder
from data.errors import SettingsError
from data.video.frame import Frame, VideoInfo
from data.video.hdr import HDR_TRANSFERS
from data.video.reader import read_metadata
from data.writing.codecs import CODECS, Encoding
from data.writing.encode import SegmentWriter
from data.writing.join import Finish, join_segments, muxer_of
from data.writing.sequence import ABOUT, SequenceWriter, check_folder, join_sequences
from data.writing.tracks import Tracks, plan_tracks
from pipelines.options import RenderOptions
from pipelines.translating.translation import Translation

KEY = "retarget_key"
"""Metadata of a result: what it was made from and how, so that the same command knows it is done."""


class Writer(Protocol):
    """Takes the frames of a part."""

    notes: list[str]

    def write(self, frame: Frame) -> None: ...


class Leaving(ABC):
    """One result. output: where it goes. suffix: of a part's name. notes: lines for the user, known beforehand. copies:
    of its pictures that are on the disk when parts become the whole. each_whole: each stands for itself.
    """

    suffix: str
    copies = 2
    each_whole = False
    notes: tuple[str, ...] = ()

    def __init__(self, output: Path) -> None:
        self.output = output

    @abstractmethod
    def key(self) -> str | None:
        """That of what is there."""

    @abstractmethod
    def writer(self, part: Path, info: VideoInfo, size: tuple[int, int]) -> AbstractContextManager[Writer]:
        """For the frames of one part."""

    @abstractmethod
    def join(
        self, parts: list[Path], job: Translation, metadata: dict[str, str], finish: Finish | None = None
    ) -> list[str]:
        """Makes the whole of its parts. finish: makes each file the one that leaves. Gives lines for the user."""

    @abstractmethod
    def beside(self) -> "Leaving":
        """The same for `--compare`."""


class VideoFile(Leaving):
    """A video with the source's sound. Raises SettingsError where the kind of file does not hold the codec."""

    def __init__(self, output: Path, encoding: Encoding, tracks: Tracks | None) -> None:
        super().__init__(output)
        self._encoding, self._tracks = encoding, tracks
        self.suffix = CODECS[encoding.codec].suffix
        self.each_whole = CODECS[encoding.codec].scale is None
        self.notes = tracks.notes if tracks else ()

    def key(self) -> str | None:
        return read_metadata(self.output).get(KEY) if self.output.exists() else None

    def writer(self, part: Path, info: VideoInfo, size: tuple[int, int]) -> SegmentWriter:
        return SegmentWriter(part, source=info, size=size, encoding=self._encoding)

    def join(
        self, parts: list[Path], job: Translation, metadata: dict[str, str], finish: Finish | None = None
    ) -> list[str]:
        span = {"start": job.start, "stop": job.stop}
        return join_segments(parts, self.output, tracks=self._tracks, **span, metadata=metadata, finish=finish)

    def beside(self) -> "VideoFile":
        return VideoFile(beside(self.output), dataclasses.replace(self._encoding, keep_hdr=False), self._tracks)


class PictureFolder(Leaving):
    """PNG files with the source's times in a table. They become the whole without a second copy."""

    suffix = ""
    copies = 1
    each_whole = True

    def __init__(self, output: Path, metadata: dict[str, str]) -> None:
        super().__init__(output)
        self._metadata = metadata

    def key(self) -> str | None:
        try:
            return json.loads((self.output / ABOUT).read_text()).get(KEY)
        except (OSError, ValueError):
            return None

    def writer(self, part: Path, info: VideoInfo, size: tuple[int, int]) -> SequenceWriter:
        return SequenceWriter(part, source=info, metadata=self._metadata)

    def join(
        self, parts: list[Path], job: Translation, metadata: dict[str, str], finish: Finish | None = None
    ) -> list[str]:
        join_sequences(parts, self.output, metadata, finish)
        return [f"{self.output}: pictures without sound; it is in {job.source.path}"] if job.source.sound else []

    def beside(self) -> "PictureFolder":
        return PictureFolder(beside(self.output), self._metadata)


def beside(output: Path) -> Path:
    """Where `--compare` writes."""
    return output.with_name(f"{output.stem}-compare{output.suffix}")


def encoding_of(options: RenderOptions, info: VideoInfo | None = None) -> Encoding | None:
    """How pictures are encoded; None for PNG. info: of the source, where it is known. Raises SettingsError."""
    keep = options.hdr == "keep"
    if options.codec == "png":
        if keep or options.hardware:
            raise SettingsError(
                f"--codec png: 8 bits and no device; leave {'--hdr keep' if keep else '--hardware'} away"
            )
        return None
    hdr = keep and (info is None or info.colour.get("transfer") in HDR_TRANSFERS)
    codec = options.codec if options.codec != "auto" else ("hevc" if hdr else "h264")
    encoding = Encoding(codec, options.quality, options.hardware, keep)
    encoding.check()
    return encoding


def leaving_for(
    job: Translation, options: RenderOptions, output: Path | None, named: Path, metadata: dict[str, str]
) -> Leaving:
    """The result of a clip at `output`, or else at `named` with the suffix of its kind. Raises SettingsError."""
    encoding = encoding_of(options, job.source.info)
    if output is not None and output.exists() and output.samefile(job.source.path):
        raise SettingsError(f"{output}: is the clip to translate; give another --output")
    if encoding is None:
        output = output or named
        check_folder(output)
    else:
        output = output or named.with_name(f"{named.name}{CODECS[encoding.codec].suffix}")
        encoding.check_kind(muxer_of(output), output)
    make_folder(output.parent)
    if encoding is None:
        return PictureFolder(output, metadata)
    SegmentWriter(output, source=job.source.info, encoding=encoding)  # refuses a size that the codec does not hold
    video = VideoFile(output, encoding, plan_tracks(job.source.sound, muxer_of(output)) if job.source.sound else None)
    if encoding.keep_hdr and job.source.info.colour.get("transfer") not in HDR_TRANSFERS:
        video.notes += (f"{job.source.label}: is not HDR, so there is none to keep",)
    return video
