"""Content credentials: what is signed holds, and what was changed is told."""

import random
import resource
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from data.errors import MissingInputError, OutputError, RetargetError, SettingsError
from pipelines.provenance.credentials import Credentials, Statement
from pipelines.provenance.verifying import verdict_on
from tests.pipelines.chains import PEM, make_chain
from tests.pipelines.runs import draw

KEYS = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


def statement(source: Path) -> Statement:
    return Statement("out.mp4", "translated", source, "12" * 32, {"weights": "34" * 32}, {"run": "a-b"})


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    chain = make_chain(tmp_path)
    source = draw(tmp_path / "a.mp4", frames=6)
    Credentials(chain.certificates, chain.key).sign(source, tmp_path / "signed.mp4", statement(source))
    return tmp_path / "signed.mp4"


def test_what_is_signed_says_by_whom_and_from_what_and_plays_as_before(signed: Path) -> None:
    verdict = verdict_on(signed, signed.with_name("root.pem"))
    assert verdict is not None and verdict.wrong == "" and verdict.trusted is True
    assert verdict.signer == "Signer, of Test House" and verdict.said == {"run": "a-b"}
    assert verdict.actions == ("c2pa.opened", "c2pa.edited translated")
    assert set(verdict.ingredients) == {f"weights, sha256 {'34' * 32}", f"a.mp4, sha256 {'12' * 32}"}
    with av.open(str(signed)) as one, av.open(str(signed.with_name("a.mp4"))) as other:
        frames = [[(f.pts, f.time_base, bytes(f.planes[0])) for f in file.decode(video=0)] for file in (one, other)]
    assert frames[0] == frames[1] and len(frames[0]) == 6


def test_a_stranger_is_told(signed: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    verdict = verdict_on(signed, make_chain(tmp_path / "other").root)
    assert verdict is not None and verdict.wrong == "" and verdict.trusted is False


def test_any_one_changed_byte_is_told(signed: Path) -> None:
    """Those of picture, sound and words; and those that C2PA leaves out: the kind of file, room to spare, padding."""
    content, draw_ = signed.read_bytes(), random.Random(0)
    padding = content.index(b"\0" * 400) + 200
    places = [*range(60), padding, *range(len(content) - 80, len(content))]
    places += [content.index(b"moov") + 90, content.index(b"mdat") + 90, content.index(b"free") + 1]
    places += draw_.sample(range(len(content)), 60)
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << draw_.randrange(8)
        signed.write_bytes(changed)
        verdict = verdict_on(signed)
        assert verdict is None or verdict.wrong, place  # None: the signature is gone, which the metadata tell
    signed.write_bytes(content + b"\0")
    assert verdict_on(signed).wrong  # type: ignore[union-attr]


def test_signatures_that_come_in_are_kept_as_ingredients(signed: Path, tmp_path: Path) -> None:
    chain = make_chain(tmp_path)
    again = tmp_path / "again.mp4"
    Credentials(chain.both, None).sign(signed, again, statement(signed))
    verdict = verdict_on(again)
    assert verdict is not None and not verdict.wrong and f"signed.mp4, sha256 {'12' * 32}" in verdict.ingredients
    assert again.read_bytes().count(b"urn:c2pa:") > signed.read_bytes().count(b"urn:c2pa:")


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_key_signs(tmp_path: Path, kind: str) -> None:
    chain = make_chain(tmp_path, key=KEYS[kind]())
    assert len(Credentials(chain.both, None).fingerprint) == 64


def encrypted(chain: Path) -> None:
    key = serialization.load_pem_private_key(chain.with_name("key.pem").read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    chain.with_name("key.pem").write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))


def leaf_alone(chain: Path) -> None:
    chain.write_bytes(chain.with_name("root.pem").read_bytes())


def turned(chain: Path) -> None:
    certificates = chain.read_text().split("-----END CERTIFICATE-----\n")[:2]
    chain.write_text("".join(f"{part}-----END CERTIFICATE-----\n" for part in reversed(certificates)))


BAD: dict[str, tuple[Callable[[Path], object], type[RetargetError], str]] = {
    "no chain": (lambda chain: chain.unlink(), MissingInputError, "certificate chain cannot be read"),
    "no key": (lambda chain: chain.with_name("key.pem").unlink(), MissingInputError, "key cannot be read"),
    "text": (lambda chain: chain.write_text("hello\n"), SettingsError, "holds no certificates"),
    "bytes": (lambda chain: chain.write_bytes(b"\0\xff"), SettingsError, "holds no certificates"),
    "key text": (lambda chain: chain.with_name("key.pem").write_text("x"), SettingsError, "holds no private key"),
    "encrypted": (encrypted, SettingsError, "the key is encrypted"),
    "alone": (leaf_alone, SettingsError, "vouches for itself"),
    "turned": (turned, SettingsError, "is not vouched for by 'Signer'"),
    "other key": (
        lambda chain: chain.with_name("key.pem").write_bytes(other_key()),
        SettingsError,
        "is not the key of the certificate of 'Signer'",
    ),
    "run out": (lambda chain: make_chain(chain.parent, days=-1), SettingsError, "not today; renew it"),
    "not to sign": (lambda chain: make_chain(chain.parent, purpose=False), SettingsError, "digital signatures"),
    "odd curve": (
        lambda chain: make_chain(chain.parent, key=ec.generate_private_key(ec.SECP256K1())),
        SettingsError,
        "does not take",
    ),
}


def other_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize("fault", BAD)
def test_what_cannot_sign_is_refused_in_a_line(tmp_path: Path, fault: str) -> None:
    chain = make_chain(tmp_path)
    spoil, kind, words = BAD[fault]
    spoil(chain.certificates)
    with pytest.raises(kind, match=words) as error:
        Credentials(chain.certificates, chain.key)
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)


def test_no_room_for_the_signed_file_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    chain, source = make_chain(tmp_path), draw(tmp_path / "a.mp4")
    credentials = Credentials(chain.certificates, chain.key)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, before[1]))
    try:
        with pytest.raises(OutputError, match="cannot be written"):
            credentials.sign(source, tmp_path / "signed.mp4", statement(source))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "signed.mp4").exists()


def test_trust_in_what_is_no_certificate_is_refused(signed: Path) -> None:
    with pytest.raises(MissingInputError):
        verdict_on(signed, signed.with_name("none.pem"))
    signed.with_name("text.pem").write_text("hello")
    with pytest.raises(SettingsError, match="no certificates"):
        verdict_on(signed, signed.with_name("text.pem"))
