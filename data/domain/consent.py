"""What a person agreed to: a small TOML file that a domain keeps, and that its uses are held against.

who = "Anna Example"
uses = ["research", "film"]         # words of the agreement's own; ["any"] for all
forbidden = ["advertising"]         # may be left out
until = 2027-12-31                  # the last day; or "unlimited"
record = "folder 7, signed on 2026-01-02"
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from data.disk import write_bytes
from data.errors import MissingInputError, SettingsError

FILE = "consent.toml"
"""In a domain's folder."""
ANY, UNLIMITED = "any", "unlimited"
_MOST_BYTES = 64_000
_USE = re.compile(r"[\w][\w-]{0,39}")
_KNOWN = {"who", "uses", "forbidden", "until", "record"}


@dataclass(frozen=True)
class Consent:
    """who: the person. uses, forbidden: what it is for and what not, in lower case. until: the last day; None: no end.
    record: where what was signed is kept. sha256: of the file."""

    who: str
    uses: frozenset[str]
    forbidden: frozenset[str]
    until: date | None
    record: str
    sha256: str

    def has_run_out(self, today: date) -> bool:
        return self.until is not None and today > self.until

    def objection(self, use: str | None, today: date) -> str | None:
        """Why it does not cover what is done today, with what is to be typed; None where it does. use: what for."""
        if self.has_run_out(today):
            return f"{self.who}'s consent has run out on {self.until}; ask again, and extract with the new --consent"
        if use is None:
            if ANY in self.uses and not self.forbidden:
                return None
            return f"{self.who} agreed to {self.in_words()}; say by --use which of them this is"
        if use.lower() in self.forbidden or not self.uses & {ANY, use.lower()}:
            return f"{self.who} agreed to {self.in_words()}, not to {use}"
        return None

    def span(self) -> str:
        """Until when, in words."""
        return "without end" if self.until is None else f"until {self.until}"

    def in_words(self) -> str:
        """What it is for."""
        uses = "any use" if ANY in self.uses else ", ".join(sorted(self.uses))
        return uses + (f" but not {', '.join(sorted(self.forbidden))}" if self.forbidden else "")


def read_consent(path: Path) -> Consent:
    """Raises MissingInputError, and SettingsError that says in a line what of it cannot be taken."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingInputError(f"{path}: no consent file that can be read ({error.strerror or error})") from error
    if len(content) > _MOST_BYTES:
        raise SettingsError(f"{path}: larger than {_MOST_BYTES:,} bytes, so no consent file")
    try:
        said = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        words = " ".join(str(error).split())
        raise SettingsError(f"{path}: is no TOML ({words})") from error
    problem = next(filter(None, (_wrong(said, name) for name in [*sorted({*said} - _KNOWN), *sorted(_KNOWN)])), None)
    if problem is not None:
        raise SettingsError(f"{path}: {problem}; see docs/provenance.md")
    uses, forbidden = (frozenset(use.lower() for use in said.get(name, ())) for name in ("uses", "forbidden"))
    until = None if said["until"] == UNLIMITED else said["until"]
    return Consent(said["who"], uses, forbidden, until, said["record"], hashlib.sha256(content).hexdigest())


def _wrong(said: dict[str, Any], name: str) -> str | None:
    """What is wrong with one of its lines."""
    if name not in _KNOWN:
        return f"says {name[:40]!r}, which is not known; it may say {', '.join(sorted(_KNOWN))}"
    if name not in said:
        return None if name == "forbidden" else f"does not say {name!r}"
    value = said[name]
    if name in ("who", "record"):
        is_line = isinstance(value, str) and value.strip() and value.isprintable()
        return None if is_line else f"{name!r} has to be a line of text"
    if name == "until":
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return None if is_day or value == UNLIMITED else "'until' has to be a day such as 2027-12-31, or \"unlimited\""
    words = isinstance(value, list) and all(isinstance(use, str) and _USE.fullmatch(use) for use in value)
    if not words or (name == "uses" and not value):
        return f'{name!r} has to be a list of words such as ["research", "film"]'
    return "'forbidden' cannot hold \"any\"" if name == "forbidden" and ANY in map(str.lower, value) else None


def consent_of(folder: Path) -> Consent | None:
    """What a domain keeps; None where it keeps none. Raises SettingsError where it is damaged, MissingInputError."""
    path = folder / FILE
    return read_consent(path) if path.exists() or path.is_symlink() else None


def keep_consent(path: Path, folder: Path) -> Consent:
    """Puts a copy into a domain's folder, in the place of an earlier one. Raises as `read_consent`, and OutputError."""
    consent = read_consent(path)
    write_bytes(folder / FILE, path.read_bytes())
    return consent
