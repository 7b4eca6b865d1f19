"""Content credentials (C2PA 2): what a file is, what it was made of and how, signed by a key of the user's.

The library is `c2pa-python` (extra `provenance`). Nothing here reaches the network: no time-stamp authority is asked,
so that a signature holds for as long as its certificate does.
"""

import importlib
import io
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image

from data.disk import output_errors
from data.errors import MissingExtraError, MissingInputError, OutputError, SettingsError
from durable.files import remove
from pipelines.provenance.marks import COMPOSITE
from pipelines.provenance.sealing import seal

KINDS = {".mp4": "video/mp4", ".m4v": "video/x-m4v", ".mov": "video/quicktime", ".png": "image/png"}
"""Files that are signed, by their suffix -> MIME type."""
OFFLINE = {"verify": {"verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False}}
LABEL = "retarget.translation"
"""Of the assertion that holds this program's own words."""
_SETTINGS = OFFLINE | {"builder": {"thumbnail": {"enabled": False}}}


def library() -> Any:
    """The package `c2pa`. Raises MissingExtraError."""
    try:
        return importlib.import_module("c2pa")
    except ImportError as error:
        raise MissingExtraError(
            "content credentials need the package c2pa-python: pip install -e '.[provenance]'"
        ) from error


@dataclass(frozen=True)
class Statement:
    """What credentials say of a file. done: in a sentence. source: the clip's file, which may have credentials of its
    own. ingredients: what else went in, name -> sha256. record: this program's own words, for machines."""

    title: str
    done: str
    source: Path
    source_sha256: str
    ingredients: dict[str, str] = field(default_factory=dict)
    record: dict[str, str] = field(default_factory=dict)


class Credentials:
    """A key and its certificates, tried out. fingerprint: sha256 of the certificate that signs, in hex."""

    def __init__(self, chain: Path, key: Path | None) -> None:
        """chain: PEM, the signer's certificate first, then those that vouch for it. key: PEM, not encrypted; None: in
        the same file. Raises MissingExtraError, MissingInputError, SettingsError."""
        self._c2pa = library()
        certificates, self.fingerprint = _certificates(chain)
        algorithm, secret = _key(key or chain, certificates[0])
        self._chain = b"".join(_pem(certificate) for certificate in certificates)
        self._key, self._algorithm, self._from = secret, algorithm, chain
        self._try_out()

    def sign(self, path: Path, signed: Path, statement: Statement) -> None:
        """Writes the file at `path` with credentials to `signed`, whose suffix is one of KINDS. Raises OutputError."""
        kind = KINDS[signed.suffix.lower()]
        try:
            with output_errors(signed), path.open("rb") as source:
                with _Written(io.FileIO(signed, "w+")) as target:
                    try:
                        self._builder(statement).sign(kind, source, target)
                    except self._c2pa.C2paError as error:
                        if target.failed is not None:
                            raise target.failed from error
                        raise OutputError(f"{signed}: cannot be signed (C2PA says: {error})") from error
                if kind != "image/png":
                    seal(signed)
        except BaseException:
            remove(signed)
            raise

    def _builder(self, statement: Statement) -> Any:
        software = {"name": "retarget", "version": version("retarget")}
        ingredients = [
            {"title": name, "description": f"sha256 {digest}", "format": "application/octet-stream",
             "relationship": "inputTo", "label": name}
            for name, digest in statement.ingredients.items()
        ]  # fmt: skip
        source = {
            "title": statement.source.name,
            "description": f"sha256 {statement.source_sha256}",
            "relationship": "parentOf",
            "label": "source",
        }
        actions = [
            {"action": "c2pa.opened", "parameters": {"ingredientIds": ["source"]}},
            {
                "action": "c2pa.edited",
                "digitalSourceType": COMPOSITE,
                "softwareAgent": software,
                "description": statement.done,
                "parameters": {"ingredientIds": list(statement.ingredients)},
            },
        ]
        claim = {
            "claim_generator_info": [software],
            "title": statement.title,
            "assertions": [
                {"label": "c2pa.actions.v2", "data": {"actions": actions}},
                {"label": LABEL, "data": statement.record},
            ],
        }
        suffix, known = statement.source.suffix.lower().removeprefix("."), self._c2pa.Builder.get_supported_mime_types()
        if statement.source.is_file() and suffix in known:
            builder = self._c2pa.Builder.from_json(json.dumps(claim | {"ingredients": ingredients}), self._context())
            with suppress(self._c2pa.C2paError), statement.source.open("rb") as content:
                builder.add_ingredient(source, suffix, content)  # with the credentials that it has, where it has any
                return builder
        named = source | {"format": "application/octet-stream"}
        return self._c2pa.Builder.from_json(json.dumps(claim | {"ingredients": [*ingredients, named]}), self._context())

    def _context(self) -> Any:
        info = self._c2pa.C2paSignerInfo(self._algorithm, self._chain, self._key, None)
        return self._c2pa.Context.from_dict(_SETTINGS, signer=self._c2pa.Signer.from_info(info))

    def _try_out(self) -> None:
        """Signs a picture of one pixel and reads it back: what is wrong is known before hours of work."""
        picture, signed = io.BytesIO(), io.BytesIO()
        Image.new("RGB", (1, 1)).save(picture, "PNG")
        try:
            statement = Statement("trial", "trial", Path("trial"), "", {}, {"trial": "trial"})
            self._builder(statement).sign("image/png", picture, signed)
            context = self._c2pa.Context.from_dict(OFFLINE)
            with self._c2pa.Reader("image/png", signed, context=context) as reader:
                failures = ((reader.get_validation_results() or {}).get("activeManifest") or {}).get("failure") or []
        except self._c2pa.C2paError as error:
            words = str(error).partition(": ")[2] or str(error)
            hint = "it has to be for digital signatures, with an extended key usage such as emailProtection"
            raise SettingsError(f"{self._from}: cannot sign (C2PA says: {words}); {hint}") from error
        if failures:
            raise SettingsError(f"{self._from}: cannot sign (C2PA says: {failures[0].get('explanation')})")


class _Written(io.BufferedRandom):
    """A file that remembers what went wrong in writing: C2PA only says that something did."""

    failed: OSError | None = None

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError as error:
            self.failed = error
            raise


def _content(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingInputError(f"{path}: {what} cannot be read ({error.strerror or error})") from error


def _certificates(path: Path) -> tuple[list[Any], str]:
    """The certificates of a PEM file, each vouched for by the next, and the first one's sha256.

    Raises MissingInputError, SettingsError.
    """
    x509 = importlib.import_module("cryptography.x509")
    hashes = importlib.import_module("cryptography.hazmat.primitives.hashes")
    content = _content(path, "the certificate chain")
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise SettingsError(f"{path}: holds no certificates in PEM; give the signer's, then those above it") from error
    first, now = found[0], datetime.now(UTC)
    if len(found) == 1 and first.issuer == first.subject:
        raise SettingsError(f"{path}: one certificate that vouches for itself; C2PA takes one that another vouches for")
    for certificate, above in pairwise(found):
        try:
            certificate.verify_directly_issued_by(above)
        except Exception as error:  # of wrong names, kinds or signatures: a type each
            raise SettingsError(
                f"{path}: {_name(certificate)} is not vouched for by {_name(above)}; put the signer's certificate "
                "first, and behind each the one that vouches for it"
            ) from error
    if not first.not_valid_before_utc <= now <= first.not_valid_after_utc:
        raise SettingsError(
            f"{path}: the certificate of {_name(first)} holds from {first.not_valid_before_utc:%Y-%m-%d} to "
            f"{first.not_valid_after_utc:%Y-%m-%d}, not today; renew it"
        )
    return found, first.fingerprint(hashes.SHA256()).hex()


def _name(certificate: Any) -> str:
    names = [part.value for part in certificate.subject]
    return repr(str(names[-1])) if names else "a certificate without a name"


def _pem(certificate: Any) -> bytes:
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(path: Path, certificate: Any) -> tuple[Any, bytes]:
    """How the key of a certificate signs, and the key as PKCS 8. Raises MissingInputError, SettingsError."""
    c2pa, serialization = library(), importlib.import_module("cryptography.hazmat.primitives.serialization")
    content = _content(path, "the key")
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError as error:
        raise SettingsError(
            f"{path}: the key is encrypted; write it plain, where only you can read: openssl pkcs8 -in KEY -out PLAIN"
        ) from error
    except Exception as error:  # ValueError, UnsupportedAlgorithm
        raise SettingsError(f"{path}: holds no private key in PEM") from error
    plain = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.Encoding.DER
    own, signed = (k.public_bytes(plain[1], plain[0]) for k in (key.public_key(), certificate.public_key()))
    if own != signed:
        raise SettingsError(f"{path}: is not the key of the certificate of {_name(certificate)}")
    curve = getattr(getattr(key, "curve", None), "name", "")
    kinds = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
    kind = kinds.get(curve) or {"RSAPrivateKey": "PS256", "Ed25519PrivateKey": "ED25519"}.get(type(key).__name__)
    if kind is None:
        raise SettingsError(f"{path}: a kind of key that C2PA does not take; use P-256, P-384, P-521, RSA or Ed25519")
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return c2pa.C2paSigningAlg[kind], secret
