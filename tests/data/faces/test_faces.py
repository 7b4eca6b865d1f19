"""Backends find faces and give points; the one asked for, or the next with one line that says so."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.errors import MissingModelError, SettingsError
from data.faces.align import apply, crop_matrix, face_width
from data.faces.aligners import open_aligner
from data.faces.appearance import describe, similarity
from data.faces.detection import Detection
from data.faces.haar import Haar
from data.faces.yunet import YuNet
from data.models import MODELS
from tests.data.models import no_models_anywhere, pinned

SHARED = Path(__file__).parents[4] / "shared"
needs_clips = pytest.mark.skipif(not (SHARED / "clips").exists(), reason="no shared clips beside the checkout")


@pytest.fixture(autouse=True)
def no_models(tmp_path, monkeypatch):
    """Neither this machine's models nor the network."""
    no_models_anywhere(tmp_path, monkeypatch)


def astronaut() -> np.ndarray:
    """A portrait in the public domain that scikit-image, which face-alignment needs, carries."""
    return pytest.importorskip("skimage.data").astronaut()


def photo(name: str) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(SHARED / "clips" / "photos" / name)), cv2.COLOR_BGR2RGB)


def yunet() -> YuNet:
    return YuNet(SHARED / "models" / MODELS["yunet"].file_name)


def test_haar_finds_the_one_face():
    (found,) = Haar().find(astronaut())
    x0, y0, x1, y1 = found.box
    assert x0 < 225 < x1
    assert y0 < 115 < y1
    assert 50 < x1 - x0 < 100
    assert found.score > 0.7
    eyes = found.points[:2]
    assert np.abs(eyes - [[208, 108], [245, 108]]).max() < 12
    assert np.array_equal(Haar().landmarks([astronaut()], [found])[0], found.points)


def test_haar_scales_with_the_picture():
    large = cv2.resize(astronaut(), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    (small,), (found, *_) = Haar().find(astronaut()), Haar().find(large)
    assert np.abs(np.array(found.box) / 4 - small.box).max() < 10


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (20, 20), (64, 64)])
def test_pictures_without_room_for_a_face(size):
    picture = np.full((*size, 3), 90, np.uint8)
    assert Haar().find(picture) == []
    if SHARED.exists():
        assert yunet().find(picture) == []


class FakeNet:
    """In the place of OpenCV's network: answers one face at fixed fractions of the size it was set to."""

    def setInputSize(self, size):  # noqa: N802
        self.size = np.array(size, np.float32)

    def detect(self, bgr):
        if not hasattr(self, "size"):  # the closer look: not found again
            return 0, None
        assert bgr.shape[1::-1] == tuple(self.size.astype(int))
        assert max(self.size) <= 640
        width, height = self.size
        points = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]]) * self.size
        weak = [0, 0, 9, 9, *np.arange(10), 0.61]
        face = [0.3 * width, 0.2 * height, 0.4 * width, 0.5 * height, *points.ravel(), 0.93]
        return 1, np.array([weak, face], np.float32)


@pytest.mark.parametrize("shape", [(60, 50), (288, 360), (2160, 3840)])
def test_yunet_works_on_a_small_copy_and_answers_in_the_pictures_pixels(monkeypatch, shape):
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: FakeNet())
    height, width = shape
    found = YuNet(Path("any.onnx")).find(np.zeros((height, width, 3), np.uint8))
    assert np.allclose([d.score for d in found], [0.8 * 0.93, 0.8 * 0.61], atol=1e-6)  # not seen at the closer look
    wanted = [0.3 * width, 0.2 * height, 0.7 * width, 0.7 * height]
    assert np.allclose(found[0].box, wanted, rtol=0.02)
    assert np.allclose(found[0].points[0], [0.4 * width, 0.4 * height], rtol=0.02)


@needs_clips
@pytest.mark.parametrize(
    ("name", "faces"),
    [("two_people.jpg", 2), ("noface_elephant.jpg", 0), ("portrait_tiny.png", 1), ("obama_official.jpg", 1)],
)
def test_yunet_on_photos(name, faces):
    assert len([d for d in yunet().find(photo(name)) if d.score > 0.7]) == faces


@needs_clips
def test_points_turn_with_a_rolled_head():
    """The photo rolled by 30 degrees: the straight photo's points, rolled, are the truth; the crop is upright."""
    straight, rolled = photo("obama_official.jpg"), photo("portrait_roll.jpg")
    factor = 600 / straight.shape[1]
    points = (yunet().find(straight)[0].points + 0.5) * factor
    turn = cv2.getRotationMatrix2D((300, straight.shape[0] * factor / 2), 30, 1)
    turn[:, 2] += np.array(rolled.shape[1::-1]) / 2 - [300, straight.shape[0] * factor / 2]
    truth = apply(turn, points) - 0.5
    found = yunet().find(rolled)[0].points
    assert np.abs(found - truth).max() < 0.1 * face_width(truth)
    matrix = crop_matrix(found, 128)
    assert np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])) == pytest.approx(30, abs=4)


def test_detection_survives_json():
    look = describe(astronaut(), Haar().find(astronaut())[0].points)
    before = Detection((1.234, 2.0, 30.5, 40.25), 0.87, np.arange(10.0).reshape(5, 2), look)
    text = json.dumps(before.to_json())
    after = Detection.from_json(json.loads(text))
    assert len(text) < 1000
    assert np.allclose(after.box, before.box, atol=0.01)
    assert np.array_equal(after.points, before.points)
    assert similarity(after.appearance, look) > 0.99
    assert Detection.from_json(replace(before, appearance=None).to_json()).appearance is None


def test_appearance_knows_a_face_again_in_other_light_and_size():
    rgb = astronaut()
    points = Haar().find(rgb)[0].points
    look = describe(rgb, points)
    assert np.linalg.norm(look) == pytest.approx(1, abs=1e-5)
    darker = (cv2.resize(rgb, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA) * 0.7).astype(np.uint8)
    assert similarity(look, describe(darker, (points + 0.5) * 0.6 - 0.5)) > 0.9
    elsewhere = describe(rgb, points + np.array([120, 250]))  # the suit
    assert similarity(look, elsewhere) < 0.6


def test_auto_falls_back_and_says_so_in_one_line(tmp_path):
    notes: list[str] = []
    assert open_aligner("auto", tmp_path, notes.append).name == "haar"
    (note,) = notes
    assert "\n" not in note
    assert "haar" in note
    assert "fan" in note
    assert "yunet" in note


@pytest.mark.parametrize("name", ["fan", "yunet"])
def test_a_named_backend_without_its_file_is_refused(tmp_path, name):
    with pytest.raises(MissingModelError, match=MODELS[name].sha256):
        open_aligner(name, tmp_path, print)


def test_unknown_backend_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="auto, fan, yunet, haar, none"):
        open_aligner("dlib", tmp_path, print)


@needs_clips
def test_auto_takes_yunet_where_its_file_is():
    notes: list[str] = []
    assert open_aligner("auto", SHARED / "models", notes.append).name == "yunet"
    assert notes[0].startswith("aligner: yunet")


def test_importing_faces_is_light():
    heavy = "[m for m in ('torch', 'face_alignment') if m in sys.modules]"
    code = f"import sys, data.faces.aligners, data.faces.follow; print({heavy})"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_fan_never_runs_code_from_a_file(tmp_path, monkeypatch):
    pytest.importorskip("face_alignment")
    (tmp_path / MODELS["fan"].file_name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    pinned("fan", tmp_path / MODELS["fan"].file_name, monkeypatch)
    with pytest.raises(MissingModelError, match="does not hold FAN's weights") as caught:
        open_aligner("fan", tmp_path, print, "cpu")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sprung").exists()
