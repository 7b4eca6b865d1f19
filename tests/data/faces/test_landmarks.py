"""Landmarks that take a second look: FAN as face-alignment itself gives them, kept as they are found."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from data.domain.sources import open_source
from data.faces.aligners import open_aligner
from data.faces.detection import Detection
from data.faces.haar import Haar
from data.faces.placing import look
from data.faces.recognise import Looks
from data.models import MODELS
from tests.data.models import no_models_anywhere, pinned
from tests.media import portrait, write_portrait

FRAMES = 11


class Dense(Haar):
    """Landmarks of its own, four faces at once; stops when it has seen as many frames as it may."""

    dense, batch = True, 4

    def __init__(self, may: int = 1000) -> None:
        super().__init__()
        self.may, self.batches = may, []

    def landmarks(self, pictures: Sequence[np.ndarray], detections: Sequence[Detection]) -> list[np.ndarray]:
        if self.may < len(pictures):
            raise KeyboardInterrupt
        self.may -= len(pictures)
        self.batches.append(len(pictures))
        assert all(rgb.shape == (256, 256, 3) for rgb in pictures)
        return [detection.points + rgb.mean() / 100 for rgb, detection in zip(pictures, detections, strict=True)]


def test_landmarks_are_found_in_batches_once_and_gone_on_with(tmp_path: Path) -> None:
    write_portrait(tmp_path / "p.mp4", frames=FRAMES, without=range(5, 6))
    source, whole = open_source(tmp_path / "p.mp4"), Dense()
    undisturbed = look(source, whole, "largest", tmp_path / "one", Looks())
    assert whole.batches == [4, 4, 3], "an interpolated frame has landmarks, too"
    stopped = Dense(may=5)
    with pytest.raises(KeyboardInterrupt):
        look(source, stopped, "largest", tmp_path / "two", Looks())
    goes_on = Dense()
    placing = look(source, goes_on, "largest", tmp_path / "two", Looks())
    assert stopped.batches + goes_on.batches == [4, 4, 3]
    for one, other in zip(undisturbed.places or [], placing.places or [], strict=True):
        assert one is not None and other is not None and np.array_equal(one.landmarks, other.landmarks)
    logs = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert logs[0] == logs[1] and len(logs[0]) == 2
    look(source, Dense(may=0), "largest", tmp_path / "two", Looks())


@pytest.mark.slow
def test_fan_gives_what_face_alignment_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights: the places mean nothing, the way to them is the library's own, two faces at once or one."""
    import face_alignment
    import torch
    from face_alignment import api
    from face_alignment.models import FAN

    import data.faces.fan as stage

    torch.manual_seed(0)
    weights = tmp_path / MODELS["fan"].file_name
    torch.save(FAN(4).state_dict(), weights)
    monkeypatch.setattr(api, "load_file_from_url", lambda url: weights)
    monkeypatch.setattr(stage, "_half", lambda device: torch.float32)
    theirs = face_alignment.FaceAlignment(
        face_alignment.LandmarksType.TWO_D, device="cpu", face_detector="folder", compile=False
    )
    pictures = [portrait(), portrait(0.4)]
    no_models_anywhere(tmp_path, monkeypatch)
    pinned("fan", weights, monkeypatch)
    notes: list[str] = []
    ours = open_aligner("auto", tmp_path, notes.append, "cpu")
    assert notes == ["aligner: fan"] and ours.dense
    faces = [max(ours.find(rgb), key=lambda face: face.score) for rgb in pictures]
    found = ours.landmarks(pictures, faces)
    assert all(points.shape == (68, 2) and points.dtype == np.float64 for points in found)
    for rgb, face, points in zip(pictures, faces, found, strict=True):
        x0, y0, x1, y1 = face.box
        # Their detectors' boxes are larger: 195 / 165 about a point 12 % of the growth lower.
        grow, width, height = 195 / 165, x1 - x0, y1 - y0
        middle = (x0 + x1) / 2, (y0 + y1) / 2 + 0.12 * (grow - 1) * height
        half = grow * width / 2, grow * height / 2
        box = [middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]]
        (wanted,) = theirs.get_landmarks_from_image(rgb, detected_faces=[[*box, face.score]])
        off = np.linalg.norm(points - wanted, axis=1)
        assert np.median(off) < 0.01 and (off < 0.01).mean() > 0.9, "but where two places of a heat map are as high"
