"""How pictures are encoded: which encoder, how well, in which pixel formats, into which kinds of file.

Imports nothing heavy: options are made from what is here.
"""

import functools
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from data.errors import SettingsError

CodecName = Literal["h264", "hevc", "av1", "prores", "ffv1"]
DEFAULT_QUALITY = 75
"""Of 100. Faces of 360 x 288 keep 45.6 dB (luma) and 46.7 dB (chroma) where nothing is translated, with h264."""
_PLANAR = ("yuv420p", "yuv420p10le", "yuv444p", "yuv444p10le")
_WIDER = ("yuv422p", "yuv422p10le")
_TRIED_PX = 256


@dataclass(frozen=True, kw_only=True)
class Codec:
    """What an encoder takes and gives.

    encoder: FFmpeg's name of the one that runs everywhere. hardware: of those that need a device, in the order in which
    they are tried. keeps: pixel formats whose planes are encoded as they are. into: the formats that the encoder takes,
    where these are others. muxers: kinds of file that hold it; the first is usual, `suffix` its name's end. segment:
    the kind that holds a part. scale: the encoder's own at quality 100 and 0; None: it has none. least_px: of a side;
    x265 and SVT-AV1 write past their own memory where pictures are smaller.
    """

    encoder: str
    hardware: tuple[str, ...] = ()
    keeps: tuple[str, ...] = _PLANAR
    into: tuple[str, ...] = _PLANAR
    muxers: tuple[str, ...] = ("mp4", "mov", "matroska")
    suffix: str = ".mp4"
    segment: str = "mp4"
    scale: tuple[float, float] | None = None
    options: tuple[tuple[str, str], ...]
    least_px: int = 1


# Without B-frames packets come in the order of their times. x264's macroblock tree reads memory that was never written
# at many widths: other bytes from run to run. The scales were set so that quality 75 is the same luma PSNR on faces.
CODECS: dict[CodecName, Codec] = {
    "h264": Codec(
        encoder="libx264",
        hardware=("h264_nvenc", "h264_qsv", "h264_videotoolbox", "h264_amf"),
        scale=(14, 38),
        options=(("preset", "veryfast"), ("bf", "0"), ("mbtree", "0")),
    ),
    "hevc": Codec(
        encoder="libx265",
        hardware=("hevc_nvenc", "hevc_qsv", "hevc_videotoolbox", "hevc_amf"),
        scale=(15, 39),
        options=(("preset", "veryfast"), ("x265-params", "bframes=0:log-level=none")),
        least_px=64,
    ),
    "av1": Codec(
        encoder="libsvtav1",
        hardware=("av1_nvenc", "av1_qsv", "av1_amf"),
        keeps=("yuv420p", "yuv420p10le"),
        into=("yuv420p", "yuv420p10le"),
        muxers=("mp4", "matroska"),
        scale=(10, 63),
        options=(("preset", "8"),),
        least_px=64,
    ),
    "prores": Codec(
        encoder="prores_ks",
        keeps=(*_PLANAR, *_WIDER),
        into=("yuv422p10le", "yuv444p10le"),
        muxers=("mov", "matroska"),
        suffix=".mov",
        segment="mov",
        options=(("vendor", "apl0"),),
    ),
    "ffv1": Codec(
        encoder="ffv1",
        keeps=(*_PLANAR, *_WIDER),
        into=(*_PLANAR, *_WIDER),
        muxers=("matroska", "mp4"),
        suffix=".mkv",
        options=(("level", "3"), ("slicecrc", "1"), ("g", "1")),
    ),
}
_PRORES = ((25, "0"), (50, "1"), (80, "2"), (101, "3"))
"""Quality below which each profile is taken: proxy, LT, standard, HQ. 4:4:4 has one of its own."""


@dataclass(frozen=True)
class Encoding:
    """What a user asks of the picture that leaves.

    quality: 0 to 100; numbers of different codecs are alike near the default only. hardware: encode on a device.
    keep_hdr: an HDR source leaves as HDR, in 10 bits.
    """

    codec: CodecName = "h264"
    quality: int = DEFAULT_QUALITY
    hardware: bool = False
    keep_hdr: bool = False

    def check(self) -> None:
        """Raises SettingsError for what cannot be."""
        if not 0 <= self.quality <= 100:
            raise SettingsError(f"--quality {self.quality}: has to be from 0 to 100")
        if self.codec == "ffv1" and self.quality != DEFAULT_QUALITY:
            raise SettingsError(f"--quality {self.quality}: ffv1 loses nothing; leave it away")
        if self.hardware and hardware_encoder(self.codec) is None:
            raise SettingsError(f"--hardware: no encoder for {self.codec} works on a device here; leave it away")

    def check_kind(self, muxer: str, path: Path) -> None:
        """Raises SettingsError where that kind of file does not hold the codec."""
        if muxer not in self.row.muxers:
            raise SettingsError(f"{path}: does not hold {self.codec}; end its name in {self.row.suffix}")

    @property
    def row(self) -> Codec:
        return CODECS[self.codec]

    @property
    def encoder(self) -> str:
        """FFmpeg's name."""
        return (hardware_encoder(self.codec) if self.hardware else None) or self.row.encoder

    def options(self, pixels: str) -> dict[str, str]:
        """The encoder's own, for pictures of that format."""
        if self.encoder != self.row.encoder:
            return _on_hardware(self.encoder, round(self._scaled()))
        options = dict(self.row.options)
        if self.row.scale is not None:
            options["crf"] = f"{self._scaled():g}" if self.codec != "av1" else str(round(self._scaled()))
        if self.codec == "prores":
            options["profile"] = "4" if "444" in pixels else next(p for most, p in _PRORES if self.quality < most)
        return options

    def _scaled(self) -> float:
        best, worst = self.row.scale or (0, 0)
        return round(best + (worst - best) * (1 - self.quality / 100), 2)

    def pixels_for(self, pixels: str) -> str:
        """The format in which pictures of format `pixels` are encoded: the one that loses least, and of these the
        smallest.
        """
        wanted = _kind(pixels)

        def loss(name: str) -> tuple[int, ...]:
            gained = [have - want for have, want in zip(_kind(name), wanted, strict=True)]
            return (*(max(0, -more) for more in gained), *(max(0, more) for more in gained))

        name = min(self.row.into, key=loss)
        if self.encoder == self.row.encoder or name in _formats(self.encoder):
            return name
        return "p010le" if name.endswith("10le") and "p010le" in _formats(self.encoder) else "nv12"


USUAL = Encoding()


def _kind(pixels: str) -> tuple[int, int]:
    """(chroma: 420, 422 or 444; bits) of a planar format's name."""
    return int(pixels.removeprefix("yuv")[:3]), 10 if pixels.endswith("10le") else 8


def _on_hardware(encoder: str, scaled: int) -> dict[str, str]:
    if encoder.endswith("_nvenc"):
        return {"rc": "constqp", "qp": str(scaled), "bf": "0"}
    if encoder.endswith("_qsv"):
        return {"global_quality": str(scaled), "bf": "0"}
    if encoder.endswith("_amf"):
        return {"rc": "cqp", "qp_i": str(scaled), "qp_p": str(scaled)}
    return {"q": str(max(1, 100 - 2 * scaled)), "bf": "0"}


@functools.cache
def hardware_encoder(codec: CodecName) -> str | None:
    """The first encoder on a device that encodes a picture here; None where none does."""
    import av

    before = av.logging.get_level()
    av.logging.set_level(av.logging.PANIC)
    try:
        return next((name for name in CODECS[codec].hardware if _works(name)), None)
    finally:
        av.logging.set_level(before)


def _formats(encoder: str) -> list[str]:
    import av

    return [one.name for one in av.Codec(encoder, "w").video_formats or ()]


def _works(encoder: str) -> bool:
    import av
    from av.video.codeccontext import VideoCodecContext

    try:
        context = av.CodecContext.create(encoder, "w")
        assert isinstance(context, VideoCodecContext)
        context.width = context.height = _TRIED_PX
        context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
        if "yuv420p" not in _formats(encoder):
            context.pix_fmt = "nv12"
        picture = av.VideoFrame(_TRIED_PX, _TRIED_PX, context.pix_fmt)
        picture.pts, picture.time_base = 0, Fraction(1, 25)
        return bool([*context.encode(picture), *context.encode(None)])
    except (av.FFmpegError, ValueError, OSError):
        return False


os.environ.setdefault("SVT_LOG", "1")  # SVT-AV1 else writes a page of settings for every file
