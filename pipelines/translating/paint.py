"""From frames to translated frames: whole ones, or the followed face cut out, translated and laid back."""

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
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
from data.video.pixels import Pixels
from data.writing.label import Label
from recycle.methods.base import Direction, Method
from recycle.networks.tiling import translate_any_size
from recycle.training.parallel import resolve_precision


@dataclass(frozen=True)
class Cut:
    """What of a frame goes through the network, (H, W, 3) uint8; None where the frame passes through. place: of its
    face."""

    frame: Frame
    picture: np.ndarray | None
    place: Place | None = None


class Painter(ABC):
    """Translates frames in three stages, each of which takes them in order, and can go on after an interruption."""

    def __init__(self, method: Method, direction: Direction) -> None:
        self._method, self._direction = method, direction
        self._device = next(method.parameters()).device
        self._bfloat16 = resolve_precision("auto", self._device.type) == "bfloat16"
        self.seen = self.translated = 0
        self.label: Label | None = None
        """What is written over every frame."""

    @abstractmethod
    def cut(self, frame: Frame) -> Cut:
        """The first stage."""

    def translate(self, cuts: list[Cut]) -> list[tuple[Cut, np.ndarray | None]]:
        """The second: each with its picture translated, at once."""
        pictures = [cut.picture for cut in cuts if cut.picture is not None]
        translated = iter(self._translate(pictures) if pictures else [])
        return [(cut, None if cut.picture is None else next(translated)) for cut in cuts]

    def lay(self, translated: tuple[Cut, np.ndarray | None]) -> Frame:
        """The third: the frame as it becomes."""
        cut, picture = translated
        self.seen += 1
        made = cut.frame
        if picture is not None:
            self.translated += 1
            made = made.with_pixels(self._laid(cut, picture))
        return made if self.label is None else made.with_pixels(self.label.on(made.rgb))

    @abstractmethod
    def _laid(self, cut: Cut, picture: np.ndarray) -> Pixels | np.ndarray:
        """The frame's new pixels, of its shape."""

    def paint(self, frames: list[Frame]) -> list[np.ndarray]:
        """All stages: the frames' new pixels, each of its frame's shape."""
        cuts = [self.cut(frame) for frame in frames]
        return [self.lay(translated).rgb for translated in self.translate(cuts)]

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

    def cut(self, frame: Frame) -> Cut:
        return Cut(frame, frame.rgb if self._at is None else resize(frame.rgb, self._at))

    def _laid(self, cut: Cut, picture: np.ndarray) -> np.ndarray:
        height, width = cut.frame.size
        return picture if self._at is None else resize(picture, (width, height))


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

    def cut(self, frame: Frame) -> Cut:
        place = self._cropper.place(frame)
        return Cut(frame, None if place is None else self._cropper.crop(frame, place), place)

    def _laid(self, cut: Cut, face: np.ndarray) -> Pixels | np.ndarray:
        frame, place, crop = cut.frame, cut.place, cut.picture
        assert place is not None and crop is not None
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
