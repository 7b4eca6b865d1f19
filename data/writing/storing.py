"""How upright R'G'B' frames are stored in a new video: pixel format, matrix and tags, and what is kept untouched."""

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from data.video.colour import FULL, HDR_TRANSFERS, LIMITED, assumed_matrix, from_rgb, matrix_of
from data.video.frame import Frame, VideoInfo
from data.video.planes import KEPT, frame_of, laid_over, planes_of

UNTAGGED = {"range": "unspecified", "space": "unspecified", "primaries": "unspecified", "transfer": "unspecified"}
SDR = {"range": "tv", "space": "bt709", "primaries": "bt709", "transfer": "bt709"}


class Storing:
    """Turns frames of `source` into pictures to encode, of size (width, height).

    pixels: FFmpeg's name of their format. tags: of their colour. upsampled: chroma of odd sides is stored in full,
    because two pixels cannot share it.
    """

    def __init__(self, source: VideoInfo, size: tuple[int, int]) -> None:
        self.tags, self._matrix = _colour_to_write(source, size)
        self.pixels, self._keeps = _pixels_to_write(source, size, self.tags)
        self.upsampled = not self._keeps and self.pixels == "yuv444p"
        self._reformatter = VideoReformatter()

    def picture(self, frame: Frame) -> av.VideoFrame:
        """What is encoded: the decoder's own planes, and over them only what was changed; else all anew."""
        colour_range = FULL if self.tags["range"] == "pc" else LIMITED

        def anew(rgb: np.ndarray) -> av.VideoFrame:
            return from_rgb(rgb, self.pixels, self._matrix, colour_range, self._reformatter)

        own = frame.planes
        if own is None or not self._keeps or own.pixels != self.pixels or own.rgb.shape != frame.rgb.shape:
            return anew(frame.rgb)
        changed = own.changed(frame.rgb)
        if changed is None:
            return frame_of(own.arrays(), self.pixels)
        if changed.all():
            return anew(frame.rgb)
        return frame_of(laid_over(own.arrays(), planes_of(anew(frame.rgb)), changed), self.pixels)


def _colour_to_write(source: VideoInfo, size: tuple[int, int]) -> tuple[dict[str, str], str]:
    """(tags, matrix) of the new video: the source's, so that a player does to it what it does to the source.

    HDR was brought to SDR on reading. What was R'G'B' gets a matrix and its tag. An untagged source stays untagged,
    unless the new size would make a reader assume another matrix.
    """
    tags = UNTAGGED | source.colour
    if tags["transfer"] in HDR_TRANSFERS:
        return dict(SDR), "bt709"
    matrix = matrix_of(tags, source.width, source.height)
    was_rgb = av.VideoFormat(source.pixel_format).is_rgb
    if was_rgb:
        tags["range"] = "tv"
    if tags["space"] != matrix and (was_rgb or tags["space"] != "unspecified" or matrix != assumed_matrix(*size)):
        tags["space"] = matrix
    return tags, matrix


def _pixels_to_write(source: VideoInfo, size: tuple[int, int], tags: dict[str, str]) -> tuple[str, bool]:
    """(pixel format, whether the source's own planes may be encoded): its own one where the encoder has it.

    Not where the colours are written otherwise than they are stored. Chroma that two pixels share needs even sides.
    """
    stored = UNTAGGED | source.colour
    pixels = KEPT.get(source.pixel_format)
    odd = any(side % 2 for side in size)
    if pixels is None or tags != stored or (odd and not pixels.startswith("yuv444p")):
        return ("yuv444p" if odd else "yuv420p"), False
    return pixels, True
