"""From frames to translated frames: whole ones, or the followed face cut out, translated and laid back."""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.disk import write_json
from data.domain.pictures import resize
from data.faces.align import apply
from data.faces.colour_match import ColourMatch
from data.faces.cropper import Cropper
from data.faces.masks import SharedMask
from data.faces.placing import Place
from data.video.frame import Frame
from data.writing.label import Label
from recycle.methods.base import Direction, Method
from recycle.networks.tiling import translate_any_size
from recycle.training.parallel import resolve_precision


class Painter(ABC):
    """Translates frames in order, and can go on after an interruption."""

    def __init__(self, method: Method, direction: Direction) -> None:
        self._method, self._direction = method, direction
        self._device = next(method.parameters()).device
        self._bfloat16 = resolve_precision("auto", self._device.type) == "bfloat16"
        self.seen = self.translated = 0
        self.label: Label | None = None
        """What is written over every frame."""

    def paint(self, frames: list[Frame]) -> list[np.ndarray]:
        """The frames' new pixels, each of its frame's shape."""
        painted = self._painted(frames)
        return painted if self.label is None else [self.label.on(rgb) for rgb in painted]

    @abstractmethod
    def _painted(self, frames: list[Frame]) -> list[np.ndarray]:
        """The same, without what is written over them."""

    def restore(self, path: Path) -> bool:
        """Goes on from what `keep` wrote after a segment; False where that segment was not finished."""
        if not path.exists():
            return False
        self._load(json.loads(path.read_text()))
        return True

    def keep(self, path: Path) -> None:
        """Says that a segment is finished, and with what state."""
        write_json(path, self._state())

    def _state(self) -> dict[str, Any]:
        return {"seen": self.seen, "translated": self.translated}

    def _load(self, state: dict[str, Any]) -> None:
        self.seen, self.translated = state["seen"], state["translated"]

    def _translate(self, pictures: list[np.ndarray]) -> list[np.ndarray]:
        """Pictures (H, W, 3) uint8 of one size through the network, rounded to uint8."""
        batch = torch.from_numpy(np.stack(pictures)).to(self._device)
        batch = batch.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bfloat16):
            result = translate_any_size(
                lambda part: self._method.translate(part, self._direction),
                batch,
                smallest_px=self._method.smallest_px,
            )
        result = result.float().add_(1).mul_(127.5).round_().clamp_(0, 255).byte()
        return list(result.permute(0, 2, 3, 1).cpu().numpy())


class WholeFrames(Painter):
    """Whole frames."""

    def __init__(self, method: Method, direction: Direction, *, at: tuple[int, int] | None = None) -> None:
        """at: (width, height) at which they are translated, and brought back to their own; None: their own."""
        super().__init__(method, direction)
        self._at = at

    def _painted(self, frames: list[Frame]) -> list[np.ndarray]:
        self.seen += len(frames)
        self.translated += len(frames)
        if self._at is None:
            return self._translate([frame.rgb for frame in frames])
        painted = self._translate([resize(frame.rgb, self._at) for frame in frames])
        sizes = [frame.rgb.shape[1::-1] for frame in frames]
        return [resize(rgb, (width, height)) for rgb, (width, height) in zip(painted, sizes, strict=True)]


class Faces(Painter):
    """The followed face, cut out, translated and pasted back; frames without it pass through."""

    def __init__(
        self,
        method: Method,
        direction: Direction,
        cropper: Cropper,
        *,
        blend: str,
        mask: SharedMask,
        colours: ColourMatch | None,
    ) -> None:
        """blend: "feather" for what `mask` finds to be face in both pictures, "none" for the whole square. colours:
        that bring a face to the colours of its frame; None leaves it in its own."""
        super().__init__(method, direction)
        self._cropper, self._blend = cropper, blend
        self._match, self._mask = colours, mask
        self._track: int | None = None

    def _painted(self, frames: list[Frame]) -> list[np.ndarray]:
        placed = [(frame, place) for frame in frames if (place := self._cropper.place(frame)) is not None]
        self.seen += len(frames)
        self.translated += len(placed)
        painted = {}
        if placed:
            crops = [self._cropper.crop(frame, place) for frame, place in placed]
            for (frame, place), crop, face in zip(placed, crops, self._translate(crops), strict=True):
                painted[frame.number] = self._paste(frame, place, crop, face)
        return [painted.get(frame.number, frame.rgb) for frame in frames]

    def _paste(self, frame: Frame, place: Place, crop: np.ndarray, face: np.ndarray) -> np.ndarray:
        size = self._cropper.size
        if place.track != self._track:
            self._mask.reset()
            if self._match is not None:
                self._match.reset()
        self._track = place.track
        mask = self._mask(crop, face, apply(place.transform, place.landmarks), float(frame.seconds))
        if self._match is not None:
            face = self._match(face, crop, mask, float(frame.seconds))
        if self._blend == "none":
            mask = np.ones((size, size), np.float32)
        return self._cropper.paste(frame, face, place, mask)

    def _state(self) -> dict[str, Any]:
        colour = self._match.state() if self._match else None
        return super()._state() | {"track": self._track, "mask": self._mask.state(), "colour": colour}

    def _load(self, state: dict[str, Any]) -> None:
        super()._load(state)
        self._track = state["track"]
        self._mask.restore(state["mask"])
        if self._match is not None and state["colour"] is not None:
            self._match.restore(state["colour"])
