"""Clips of a world on disk: pictures of one size encoded close to lossless, and which clip is what."""

from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from data.disk import output_errors, put_in_place
from durable.files import partial_path

SAMPLE_RATE = 48_000


class World(NamedTuple):
    """Clips with a known truth. a, b: to learn from, unpaired. test: to translate from A to B. truth: its answer."""

    a: Path
    b: Path
    test: Path
    truth: Path

    @staticmethod
    def of(folder: Path, a: str, b: str) -> "World":
        """The files of a folder; a, b: names of the clips to learn from."""
        return World(*(folder / f"{name}.mp4" for name in (a, b, "test", "truth")))


def write_pictures(
    path: Path, pictures: Iterable[np.ndarray], size: int, rate: Fraction, sound: np.ndarray | None = None
) -> None:
    """An MP4 of pictures (size, size, 3) uint8 RGB, `rate` a second.

    H.264 close to lossless, BT.709. sound: (n,) float32 in [-1, 1], SAMPLE_RATE a second, of which each picture takes
    its part; AAC. The file appears at `path` only when whole. Raises OutputError.
    """
    partial = partial_path(path)
    try:
        with (
            output_errors(path),
            av.open(str(partial), "w", format="mp4", options={"movflags": "+faststart"}) as output,
        ):
            video = _picture_stream(output, size, rate)
            audio = output.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if sound is not None else None
            written = 0
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame = frame.reformat(format=video.pix_fmt, dst_colorspace=Colorspace.ITU709)
                frame.pts, frame.time_base = number, 1 / rate
                output.mux(video.encode(frame))
                if audio is not None and sound is not None:
                    until = int((number + 1) * SAMPLE_RATE / rate)
                    chunk = av.AudioFrame.from_ndarray(sound[None, written:until], "fltp", "mono")
                    chunk.sample_rate, chunk.pts, chunk.time_base = SAMPLE_RATE, written, Fraction(1, SAMPLE_RATE)
                    output.mux(audio.encode(chunk))
                    written = until
            output.mux(video.encode(None))
            if audio is not None:
                output.mux(audio.encode(None))
        put_in_place(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _picture_stream(output: av.container.OutputContainer, size: int, rate: Fraction) -> av.VideoStream:
    # One thread, and no macroblock tree: x264's reads memory that was never written where a row of macroblocks does not
    # fill its vectors, so that bytes would change with what lay there before.
    options = {"crf": "10", "preset": "fast", "threads": "1", "mbtree": "0"}
    stream = output.add_stream("libx264", rate=rate, options=options)
    stream.width = stream.height = size
    # 4:2:0 plays everywhere but cannot hold an odd size.
    stream.pix_fmt = "yuv444p" if size % 2 else "yuv420p"
    stream.time_base = stream.codec_context.time_base = 1 / rate
    context = stream.codec_context
    context.colorspace, context.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
    context.color_primaries, context.color_trc = int(ColorPrimaries.BT709), int(ColorTrc.BT709)
    return stream
