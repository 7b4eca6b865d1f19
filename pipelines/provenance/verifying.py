"""Whether the content credentials of a file hold, and what they say."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from data.errors import MissingInputError, SettingsError
from pipelines.provenance.credentials import KINDS, LABEL, OFFLINE, library
from pipelines.provenance.sealing import is_sealed


@dataclass(frozen=True)
class Verdict:
    """Of one file. wrong: why its credentials do not hold; "" where they do. signer: whom the certificate names, and by
    whom it was issued. trusted: whether those that the user trusts vouch for it; None where nobody was named.
    said: this program's own words. actions, ingredients: in words."""

    wrong: str
    signer: str = ""
    trusted: bool | None = None
    said: dict[str, str] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()


def verdict_on(path: Path, trust: Path | None = None) -> Verdict | None:
    """What there is to say of a file's credentials; None where it has none, or is of a kind that has none.

    trust: PEM of certificates that the user trusts to vouch for signers. Reaches no network. Raises MissingExtraError,
    MissingInputError, SettingsError.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        return None
    c2pa = library()
    try:
        with path.open("rb") as file, c2pa.Reader(kind, file, context=_context(c2pa, trust)) as reader:
            content, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return None
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return Verdict(f"they cannot be read: {str(error) or type(error).__name__}")
    found = content.get("manifests", {}).get(content.get("active_manifest"), {})
    verdict = _told(found, state if trust is not None else None)
    failures = ((content.get("validation_results") or {}).get("activeManifest") or {}).get("failure") or []
    broken = [part for part in failures if part.get("code") != "signingCredential.untrusted"]
    wrong = str(broken[0].get("explanation") or broken[0].get("code")) if broken else ""
    if not wrong and state == "Invalid":
        wrong = "C2PA calls them invalid"
    wrong = wrong or _changed(path, kind, verdict.said)
    return Verdict(**{**vars(verdict), "wrong": wrong})


def _context(c2pa: Any, trust: Path | None) -> Any:
    settings: dict[str, Any] = OFFLINE
    if trust is not None:
        try:
            anchors = trust.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise MissingInputError(f"{trust}: cannot be read ({error})") from error
        settings = {"verify": OFFLINE["verify"] | {"verify_trust": True}, "trust": {"trust_anchors": anchors}}
    try:
        return c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise SettingsError(f"{trust}: holds no certificates in PEM (C2PA says: {error})") from error


def _told(found: dict[str, Any], state: str | None) -> Verdict:
    """What a manifest says, whether or not it holds."""
    signature = found.get("signature_info") or {}
    names = [str(signature[key]) for key in ("common_name", "issuer") if signature.get(key)]
    data = {part.get("label"): part.get("data") or {} for part in found.get("assertions") or []}
    actions = data.get("c2pa.actions.v2", {}).get("actions") or []
    done = [" ".join(filter(None, [act.get("action"), act.get("description")])) for act in actions]
    parts = found.get("ingredients") or []
    ingredients = [", ".join(filter(None, [part.get("title"), part.get("description")])) for part in parts]
    own = {str(name): str(value) for name, value in data.get(LABEL, {}).items()}
    trusted = None if state is None else state == "Trusted"
    return Verdict("", ", of ".join(names), trusted, own, tuple(done), tuple(ingredients))


def _changed(path: Path, kind: str, said: dict[str, str]) -> str:
    """Of what C2PA leaves out of its hash, whether it is as it was written: files of this program say."""
    if not said:
        return ""
    if kind != "image/png":
        return "" if is_sealed(path) else "bytes that it leaves out were changed, or the file was cut or added to"
    try:
        with Image.open(path) as picture:
            picture.verify()
    except Exception as error:  # Pillow raises what it likes
        return f"a part of the picture is damaged: {error}"
    return ""
