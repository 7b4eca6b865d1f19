"""Pages that open from disk and never ask the network: all that they show stands inside them."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

import cv2
import numpy as np

from data.domain.pictures import resize

_FOLDER = files("pipelines") / "html"
_STYLE, _SCRIPT = ("page.css",), ("dom.js",)
"""What every page has."""

LEVELS = ((1280, 82), (1080, 80), (900, 76), (760, 72), (640, 68), (520, 62), (420, 56), (320, 50))
"""Longest side in pixels and WebP quality of pictures, from the best to what still shows something."""


def page(name: str, title: str, data: dict[str, Any], *, style: tuple[str, ...], script: tuple[str, ...]) -> str:
    """The page `name`.html with its styles, scripts and data inside, as text.

    `data` goes in as JSON that no text in it can end; the scripts make text of it and never markup. The page's policy
    lets it load nothing but what stands in it, and run nothing but these scripts. ValueError for NaN or infinity.
    """
    css, js = _joined((*_STYLE, *style)), _joined((*_SCRIPT, *script))
    policy = (
        f"default-src 'none'; script-src '{_hash(js)}'; style-src '{_hash(css)}'; img-src data:; media-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    content = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        content = content.replace(sign, f"\\u{ord(sign):04x}")
    skeleton = Template((_FOLDER / f"{name}.html").read_text())
    return skeleton.substitute(title=escape(title), policy=policy, style=css, script=js, data=content)


def _joined(names: tuple[str, ...]) -> str:
    return "\n".join((_FOLDER / name).read_text() for name in names)


def _hash(text: str) -> str:
    """As a content security policy names what it lets in."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def data_uri(content: bytes, kind: str) -> str:
    """`content` of the MIME type `kind` as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def picture_uris(pictures: list[np.ndarray], budget: int) -> list[str]:
    """Pictures (H, W, 3) uint8 RGB as addresses, all scaled to the best of LEVELS at which they are `budget` bytes
    together; to the last of them where that is still too much."""
    uris: list[str] = []
    for side, quality in LEVELS:
        uris = [data_uri(_webp(picture, side, quality), "image/webp") for picture in pictures]
        if sum(map(len, uris)) <= budget:
            break
    return uris


def _webp(rgb: np.ndarray, side: int, quality: int) -> bytes:
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    small = resize(rgb, (max(1, round(width * scale)), max(1, round(height * scale))))
    _, content = cv2.imencode(".webp", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    return content.tobytes()
