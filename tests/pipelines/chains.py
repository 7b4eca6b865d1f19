"""Keys and certificate chains, made for a test."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM


@dataclass
class Chain:
    """Files in PEM. both: the certificates and the key in one."""

    certificates: Path
    key: Path
    root: Path
    both: Path


def make_chain(folder: Path, *, key: Any = None, days: int = 30, purpose: bool = True) -> Chain:
    """A signer's certificate that a root vouches for. days: that it still holds. purpose: it may sign."""
    above, own = ec.generate_private_key(ec.SECP256R1()), key or ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Root", "Root", above, above, days=days)
    purposes = (ExtendedKeyUsageOID.EMAIL_PROTECTION,) if purpose else ()
    leaf = _certificate("Signer", "Root", own, above, days=days, purposes=purposes, authority=False)
    secret = own.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = Chain(*(folder / name for name in ("chain.pem", "key.pem", "root.pem", "both.pem")))
    chain.certificates.write_bytes(leaf.public_bytes(PEM) + root.public_bytes(PEM))
    chain.key.write_bytes(secret)
    chain.root.write_bytes(root.public_bytes(PEM))
    chain.both.write_bytes(secret + chain.certificates.read_bytes())
    return chain


def _certificate(
    name: str, above: str, key: Any, signing: Any, *, days: int, purposes: Sequence[Any] = (), authority: bool = True
) -> x509.Certificate:
    now = datetime.now(UTC)
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    uses |= {"decipher_only": False, "digital_signature": not authority, "crl_sign": authority}
    made = (
        x509.CertificateBuilder(_name(above), _name(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), False)
        .add_extension(x509.KeyUsage(**uses, key_cert_sign=authority), True)
    )
    if purposes:
        made = made.add_extension(x509.ExtendedKeyUsage(purposes), False)
    return made.sign(signing, hashes.SHA256())


def _name(text: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "Test House", NameOID.COMMON_NAME: text}
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts.items()])
