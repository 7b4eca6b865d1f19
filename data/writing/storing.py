"""How upright R'G'B' frames are stored in a new video: pixel format, matrix and tags, and what is kept untouched."""

import dataclasses

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from data.video.colour import (
    FULL,
    LIMITED,
    MATRICES,
    PRIMARIES,
    TRANSFERS,
    assumed_matrix,
    from_rgb,
    in_format,
    matrix_of,
    number_of,
)
from data.video.frame import Frame, VideoInfo
from data.video.hdr import HDR_TRANSFERS, sdr_to_hdr
from data.video.planes import KEPT, Planes, frame_of, lay_over, planes_of
from data.writing.codecs import USUAL, Encoding

_FILTER_PX = 16
"""Pixels that a filter which makes the planes sees on each side, and more."""
UNTAGGED = {"range": "unspecified", "space": "unspecified", "primaries": "unspecified", "transfer": "unspecified"}
SDR = {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}


class Storing:
    """Turns frames of `source` into pictures to encode, of size (width, height).

    encoded: FFmpeg's name of their format. tags: of their colour. upsampled: chroma of odd sides is stored in full,
    because two pixels cannot share it.
    """

    def __init__(self, source: VideoInfo, size: tuple[int, int], encoding: Encoding = USUAL) -> None:
        hdr = source.colour.get("transfer") in HDR_TRANSFERS and encoding.keep_hdr
        self._transfer = source.colour["transfer"] if hdr else None
        self.tags, self._matrix = _colour_to_write(source, size, hdr)
        self._pixels, self._keeps = _pixels_to_write(source, size, self.tags, encoding, hdr)
        self.encoded = encoding.pixels_for(self._pixels)
        if encoding.codec == "prores":  # it cannot leave it open: what is untagged would be taken for BT.709
            self.tags = self.tags | {"space": self._matrix}
        self.upsampled = not self._keeps and self._pixels.startswith("yuv444p")
        self._range = FULL if self.tags["range"] == "pc" else LIMITED
        self._reformatter = VideoReformatter()

    def picture(self, frame: Frame) -> av.VideoFrame:
        """What is encoded: the decoder's own planes, and over them only what was changed; else all anew."""
        picture = self._laid(frame)
        if self.encoded != self._pixels:
            picture = in_format(picture, self.encoded, self._range, self._reformatter)
        picture.colorspace = number_of(MATRICES, self.tags["space"])  # ProRes tells what its pictures say
        picture.color_primaries = number_of(PRIMARIES, self.tags["primaries"])
        picture.color_trc = number_of(TRANSFERS, self.tags["transfer"])
        return picture

    def _laid(self, frame: Frame) -> av.VideoFrame:
        own = frame.planes
        if own is None or not self._keeps or own.became.size != frame.size:
            return self._anew(frame.rgb)
        if own.pixels != self._pixels:
            if self._transfer is None:
                return self._anew(frame.rgb)
            picture = in_format(own.picture, self._pixels, self._range, self._reformatter)
            own = dataclasses.replace(own, picture=picture)
        return self._over(own, frame)

    def _over(self, own: Planes, frame: Frame) -> av.VideoFrame:
        """The planes, and over them what was changed: that part alone is made, with what filters see beside it."""
        change = own.changed(frame.pixels)
        if change is None:
            return frame_of(own.arrays(), self._pixels)
        if change.mask.shape == frame.size and change.mask.all():
            return self._anew(frame.rgb)
        change = change.grown(_FILTER_PX, frame.size)
        painted, planes = self._anew(frame.part(change.box)), own.arrays()
        lay_over(planes, planes_of(painted), change, frame.size)
        return frame_of(planes, self._pixels)

    def _anew(self, rgb: np.ndarray) -> av.VideoFrame:
        if self._transfer is not None:
            rgb = sdr_to_hdr(rgb, self._transfer)
        return from_rgb(rgb, self._pixels, self._matrix, self._range, self._reformatter)


def _colour_to_write(source: VideoInfo, size: tuple[int, int], hdr: bool) -> tuple[dict[str, str], str]:
    """(tags, matrix) of the new video: the source's, so that a player does to it what it does to the source.

    HDR was brought to SDR on reading, and is brought back where it is kept. What was R'G'B' gets a matrix and its tag.
    An untagged source stays untagged, unless the new size would make a reader assume another matrix.
    """
    tags = UNTAGGED | source.colour
    if tags["transfer"] in HDR_TRANSFERS and not hdr:
        return dict(SDR), "bt709"
    matrix = matrix_of(tags, source.width, source.height)
    was_rgb = av.VideoFormat(source.pixel_format).is_rgb
    if was_rgb:
        tags["range"] = "tv"
    if tags["space"] != matrix and (was_rgb or tags["space"] != "unspecified" or matrix != assumed_matrix(*size)):
        tags["space"] = matrix
    return tags, matrix


def _pixels_to_write(
    source: VideoInfo, size: tuple[int, int], tags: dict[str, str], encoding: Encoding, hdr: bool
) -> tuple[str, bool]:
    """(pixel format, whether the source's own planes may be encoded): its own one where the encoder has it.

    Not where the colours are written otherwise than they are stored. Chroma that two pixels share needs even sides.
    """
    stored = UNTAGGED | source.colour
    pixels = KEPT.get(source.pixel_format)
    odd = any(side % 2 for side in size)
    kept = pixels is not None and tags == stored and (not odd or pixels.startswith("yuv444p"))
    if pixels is not None and kept and pixels in encoding.row.keeps and (not hdr or pixels.endswith("10le")):
        return pixels, True
    plain = "yuv444p" if odd else "yuv420p"
    return (f"{plain}10le", tags == stored) if hdr else (plain, False)
