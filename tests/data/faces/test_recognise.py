"""Who a face is: dlib's network on real people, SFace's by its own rules on a network that stands in, looks else."""

from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import data.faces.recognise as recognise
from data.errors import MissingModelError, NoFaceError
from data.faces.haar import Haar
from data.faces.people import Identity
from data.faces.recognise import Dlib, Looks, SFace, open_recogniser
from data.faces.sightings import is_clear
from data.faces.yunet import YuNet
from data.models import MODELS
from tests.data.models import no_models_anywhere, pinned
from tests.media import portrait

SHARED = Path(__file__).parents[4] / "shared"
needs_clips = pytest.mark.skipif(not (SHARED / "clips").exists(), reason="no shared clips beside the checkout")
PEOPLE = {
    "faces/grid_s2_pwij3p.mpg": "s2",
    "faces/grid_s2_id2_vcd_swwp2s.mpg": "s2",
    "faces/grid_bbaf2n.mpg": "bbaf2n",
    "faces/grid_brbk7n.mpg": "brbk7n",
    "faces/grid_lbax4n.mpg": "lbax4n",
    "faces/wh_obama_weekly_address.mp4": "obama",
    "photos/obama_official.jpg": "obama",
    "photos/astronaut.png": "astronaut",
    "photos/einstein.jpg": "einstein",
}


def pictures(name: str) -> list[np.ndarray]:
    """The photo, or two frames of the clip."""
    path = SHARED / "clips" / name
    if path.parent.name == "photos":
        return [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)]
    with av.open(str(path)) as container:
        frames = [
            frame.to_ndarray(format="rgb24") for n, frame in zip(range(41), container.decode(video=0), strict=False)
        ]
    return [frames[0], frames[40]]


@needs_clips
def test_dlib_takes_no_stranger_and_refuses_nobody_of_six_clips_and_three_photos() -> None:
    finder, dlib = YuNet(SHARED / "models" / MODELS["yunet"].file_name), Dlib()
    vectors, names = [], []
    for name, person in PEOPLE.items():
        for rgb in pictures(name):
            face = max(finder.find(rgb), key=lambda found: found.width)
            assert is_clear(face)
            vectors.append(dlib.vector(rgb, face))
            names.append(person)
    same = np.array(names)[:, None] == np.array(names)
    likeness = dlib.likeness(np.stack(vectors), np.stack(vectors))
    assert likeness[same].min() >= dlib.same + 0.05
    assert likeness[~same].max() < dlib.same - 0.05


@pytest.fixture
def standing_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a network under SFace's name: it takes the means of 8 x 8 fields of the aligned face."""
    shapes = {"data": [1, 3, 112, 112], "fc1": [1, 192]}
    data, answer = (helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in shapes.items())
    nodes = [
        helper.make_node("AveragePool", ["data"], ["pooled"], kernel_shape=[14, 14], strides=[14, 14]),
        helper.make_node("Flatten", ["pooled"], ["fc1"]),
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "standing-in", [data], [answer]), opset_imports=[helper.make_opsetid("", 11)]
    )
    model.ir_version = 8
    no_models_anywhere(tmp_path, monkeypatch)
    path = tmp_path / MODELS["sface"].file_name
    onnx.save(model, str(path))
    pinned("sface", path, monkeypatch)
    return tmp_path


def test_sface_is_taken_first_and_answers_what_its_network_says(standing_in: Path) -> None:
    notes: list[str] = []
    sface = open_recogniser(standing_in, notes.append)
    assert sface.name == "sface" and notes == []
    rgb = portrait()
    (face,) = Haar().find(rgb)
    vector = sface.vector(rgb, face)
    assert vector.shape == (192,)
    # The mean of each field of the face, wherever it is and however large: the same picture twice as large is the same.
    twice = cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert sface.likeness(vector[None], sface.vector(twice, face.enlarged(2, 2))[None])[0, 0] > 0.999
    other = np.ascontiguousarray(rgb[..., ::-1])
    cosine = float(np.dot(vector, sface.vector(other, face)))
    cosine /= float(np.linalg.norm(vector) * np.linalg.norm(sface.vector(other, face)))
    assert sface.likeness(vector[None], sface.vector(other, face)[None])[0, 0] == pytest.approx(cosine, abs=1e-5)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_models_anywhere(tmp_path, monkeypatch)
    path = tmp_path / MODELS["sface"].file_name
    path.write_bytes(b"no network")
    pinned("sface", path, monkeypatch)
    with pytest.raises(MissingModelError, match="sface"):
        open_recogniser(tmp_path, print, "sface")
    with pytest.raises(MissingModelError):
        SFace(path)


def test_without_any_looks_are_taken_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_models_anywhere(tmp_path, monkeypatch)
    assert open_recogniser(tmp_path, print).name == "dlib"
    monkeypatch.setattr(recognise, "_dlib_files", lambda: None)
    notes: list[str] = []
    assert open_recogniser(tmp_path, notes.append).name == "looks"
    (note,) = notes
    assert ".[identity]" in note and MODELS["sface"].sha256 in note and "\n" not in note
    for wanted in ("dlib", "sface"):
        with pytest.raises(MissingModelError):
            open_recogniser(tmp_path, print, wanted)


def test_reference_picture_without_a_face_is_refused() -> None:
    with pytest.raises(NoFaceError, match="reference"):
        Identity.of_picture(np.zeros((100, 100, 3), np.uint8), Haar(), Looks())
    identity = Identity.of_picture(portrait(), Haar(), Looks())
    assert identity.looks.shape[0] == 1
    assert Identity.from_json(identity.to_json()).recogniser == "looks"
    old = {key: value for key, value in identity.to_json().items() if key != "recogniser"}
    assert Identity.from_json(old).recogniser == "looks", "domains of before"
