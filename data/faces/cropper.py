"""From a frame to the followed face's crop, and back, in any order of frames."""

import dataclasses

import numpy as np

from data.domain.pictures import resize
from data.faces import align
from data.faces.align import crop_matrix
from data.faces.placing import Place, Placing
from data.faces.warp import compose, stretch
from data.video.frame import Frame, VideoInfo
from data.video.pixels import Pixels


class Cropper:
    """Cuts the followed face out of the frames of a clip, `size` pixels a side, and lays it back.

    cut_px: side at which crops are cut before they are made `size`, as training makes a domain's pictures what it
    trains on: so networks are shown what they learned from. None: `size`.
    """

    def __init__(self, placing: Placing, info: VideoInfo, size: int, *, cut_px: int | None = None) -> None:
        self._placing, self.size, self._cut_px = placing, size, cut_px or size
        width, height = info.display_size
        self.scale = (info.width / width, info.height / height)

    def place(self, frame: Frame) -> Place | None:
        """Where the face is, with the transform to a crop of this size; None where it is not in this frame."""
        place = self._placing.place(frame.number)
        if place is None:
            return None
        return dataclasses.replace(place, transform=crop_matrix(place.landmarks, self.size))

    def crop(self, frame: Frame, place: Place) -> np.ndarray:
        """(size, size, 3) uint8 around the face."""
        grown = self._cut_px / self.size
        matrix = compose(stretch(grown, grown), place.transform)
        return resize(align.crop(frame.pixels, matrix, self._cut_px, scale=self.scale), (self.size, self.size))

    def paste(self, frame: Frame, picture: np.ndarray, place: Place, mask: np.ndarray) -> Pixels | np.ndarray:
        """The frame's pixels with a changed crop laid back where it was cut."""
        return align.paste(frame.pixels, picture, place.transform, mask, scale=self.scale)
