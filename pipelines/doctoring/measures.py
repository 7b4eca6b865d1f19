"""What is measured of a domain's pictures before training: a number a frame and measure."""

from dataclasses import dataclass

import cv2
import numpy as np
from tqdm import tqdm

from data.domain.cache import NAMED
from data.domain.domain import Domain
from data.domain.pictures import looks_whole, read_picture, resize, sharpness
from data.domain.record import Record
from data.faces.align import TEMPLATE, face_width, five_points, scale_of

MOST_FRAMES = 2000
"""Of a domain, spread evenly: more say nothing new of what it holds."""
LOOKED_AT_PX = 96
THUMB_PX = 24


@dataclass(frozen=True)
class Measure:
    """name: as the page says it. low, high: what frames are below and above the others. tolerance: two values this near
    are alike; a ratio where `ratio`. expression: pose or expression, which training cannot make up where B has no like.
    """

    name: str
    low: str
    high: str
    tolerance: float
    expression: bool = False
    ratio: bool = False


MEASURES = {
    "yaw": Measure("turn of the head, degrees", "turned to our left", "turned to our right", 9, True),
    "pitch": Measure("nod, degrees", "looking up", "looking down", 9, True),
    "roll": Measure("tilt, degrees", "tilted to our left", "tilted to our right", 9, True),
    "mouth": Measure("opening of the mouth", "mouth shut", "mouth open", 0.12, True),
    "eyes": Measure("opening of the eyes", "eyes shut", "eyes open", 0.08, True),
    "size": Measure("width of the face in its frame, px", "small in the frame", "large in the frame", 1.5, ratio=True),
    "scale": Measure("pixels of the picture a pixel of the frame", "shrunk", "enlarged", 1.5, ratio=True),
    "light": Measure("brightness, grey levels", "dark", "bright", 25),
    "side": Measure("light from the right less that from the left", "lit from the left", "lit from the right", 15),
    "border": Measure("brightness of what is around, grey levels", "dark around", "bright around", 40),
    "sharpness": Measure("sharpness (variance of the Laplacian)", "blurred", "sharp", 2.5, ratio=True),
}
"""In the order of the page."""


@dataclass(frozen=True)
class Looked:
    """A domain's frames that are kept and whose pictures are there, and each measure of them: (n,), NaN where a measure
    is not known. thumbs: (n, THUMB_PX, THUMB_PX) float32 grey. burnt, black: parts of the picture without detail."""

    domain: Domain
    records: list[Record]
    values: dict[str, np.ndarray]
    thumbs: np.ndarray
    burnt: np.ndarray
    black: np.ndarray

    def known(self, name: str) -> bool:
        """Whether a measure is known of any frame."""
        return bool(np.isfinite(self.values[name]).any())


def look(domain: Domain) -> Looked:
    """Measures a domain. Raises PictureError."""
    kept = [record for record in domain.records() if record.split != "excluded"]
    kept = [record for record in kept if (domain.folder / record.picture).is_file()]
    if len(kept) > MOST_FRAMES:
        kept = [kept[round(place)] for place in np.linspace(0, len(kept) - 1, MOST_FRAMES)]
    damaged = [record.picture for record in kept if not looks_whole(domain.folder / record.picture)]
    if damaged:
        more = f", and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
        domain.on_note(
            f"{domain.folder}: {len(damaged)} damaged pictures left out ({', '.join(damaged[:NAMED])}{more})"
        )
        kept = [record for record in kept if record.picture not in set(damaged)]
    rows, thumbs, tones = [], [], []
    for record in tqdm(kept, desc=f"looking at {domain.name}", unit="frame", disable=None):
        rgb = read_picture(domain.folder / record.picture)
        rows.append(pose_of(record) | picture_of(rgb, record))
        grey = cv2.cvtColor(resize(rgb, (THUMB_PX, THUMB_PX)), cv2.COLOR_RGB2GRAY)
        thumbs.append(grey.astype(np.float32))
        tones.append((float((rgb.min(axis=2) >= 250).mean()), float((rgb.max(axis=2) <= 8).mean())))
    values = {name: np.array([row.get(name, np.nan) for row in rows], float) for name in MEASURES}
    burnt, black = np.array(tones).reshape(-1, 2).T
    return Looked(domain, kept, values, np.array(thumbs), burnt, black)


_NOSE_LENGTH = 0.6  # how far the tip of the nose stands out, in distances of the eyes


def pose_of(record: Record) -> dict[str, float]:
    """What landmarks say of the head; nothing without them. Angles are those of a head of usual proportions."""
    if record.landmarks is None or record.transform is None:
        return {}
    landmarks = np.array(record.landmarks, float)
    eyes_and_mouth = five_points(landmarks)
    right, left, nose = eyes_and_mouth[:3]
    eyes, mouth = (right + left) / 2, eyes_and_mouth[3:].mean(0)
    along = (left - right) / max(np.linalg.norm(left - right), 1e-6)
    down = np.array([-along[1], along[0]])
    apart = max(float(np.linalg.norm(left - right)), 1e-6)
    deep = max(float((mouth - eyes) @ down), 1e-6)
    usual = (TEMPLATE[2, 1] - TEMPLATE[0, 1]) / (TEMPLATE[3, 1] - TEMPLATE[0, 1])
    found = {
        "yaw": np.degrees(np.arctan(float((nose - eyes) @ along) / apart / _NOSE_LENGTH)),
        "pitch": np.degrees(np.arctan((float((nose - eyes) @ down) / deep - usual) * deep / apart / _NOSE_LENGTH)),
        "roll": np.degrees(np.arctan2(along[1], along[0])),
        "size": face_width(landmarks),
        "scale": scale_of(np.array(record.transform, float)),
    }
    if len(landmarks) == 68:
        found["mouth"] = np.linalg.norm(landmarks[62] - landmarks[66]) / np.linalg.norm(landmarks[48] - landmarks[54])
        lids = [(37, 41, 36, 39), (38, 40, 36, 39), (43, 47, 42, 45), (44, 46, 42, 45)]
        gaps = [np.linalg.norm(landmarks[a] - landmarks[b]) / np.linalg.norm(landmarks[c] - landmarks[d])
                for a, b, c, d in lids]  # fmt: skip
        found["eyes"] = np.mean(gaps)
    return {name: float(value) for name, value in found.items()}


def picture_of(rgb: np.ndarray, record: Record) -> dict[str, float]:
    """What a picture (H, W, 3) uint8 says."""
    small = cv2.cvtColor(resize(rgb, (LOOKED_AT_PX, LOOKED_AT_PX)), cv2.COLOR_RGB2LAB)[..., 0].astype(float)
    y, x = (np.mgrid[0:LOOKED_AT_PX, 0:LOOKED_AT_PX] + 0.5) / LOOKED_AT_PX
    inner = (np.abs(x - 0.5) < 0.25) & (np.abs(y - 0.55) < 0.3)
    outer = (np.abs(x - 0.5) > 0.42) | (y < 0.08)
    found = {
        "light": small[inner].mean(),
        "side": small[inner & (x > 0.5)].mean() - small[inner & (x < 0.5)].mean(),
        "border": small[outer].mean(),
        "sharpness": record.sharpness or sharpness(rgb),
    }
    if record.landmarks is not None and len(record.landmarks) == 5:
        # Five points do not tell it: the part of the mouth's surroundings that is far darker than the face.
        mouth = small[(np.abs(x - 0.5) < 0.1) & (np.abs(y - 0.73) < 0.09)]
        found["mouth"] = float((mouth < 0.55 * np.median(small[inner])).mean())
    return found
