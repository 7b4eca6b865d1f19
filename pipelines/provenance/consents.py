"""What the people of a run agreed to: kept by the run when it is trained, and asked before anything is rendered."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from data.disk import make_folder, write_bytes
from data.domain.consent import FILE, Consent, consent_of, read_consent
from data.domain.domain import Domain
from data.errors import SettingsError
from pipelines.places import say

FOLDER = "consents"
"""In a run's folder: NAME.toml of each domain that keeps a consent, for where the domain is no more."""


def check_consent(path: Path, face: str) -> None:
    """Says what a file for a new domain covers. Raises MissingInputError, SettingsError."""
    consent, today = read_consent(path), date.today()
    if face == "all":
        raise SettingsError(
            f"--consent {path}: is one person's, {consent.who}'s; extract each with a consent of their own"
        )
    if consent.has_run_out(today):
        raise SettingsError(f"--consent {path}: {consent.objection(None, today)}")
    say(f"{path}: {consent.who} agreed to {consent.in_words()} {consent.span()} ({consent.record})")


def keep_in_run(run: Path, domains: Iterable[Domain], begun_from: Path | None) -> None:
    """Copies what domains keep into a run, and what the run keeps that it begins from.

    Raises SettingsError where one has run out, MissingInputError, OutputError.
    """
    kept = {} if begun_from is None else {path.name: path.read_bytes() for path in _files(begun_from)}
    for domain in domains:
        consent = consent_of(domain.folder)
        if consent is not None:
            if consent.has_run_out(date.today()):
                raise SettingsError(f"{domain.folder}: {consent.objection(None, date.today())}")
            kept[f"{domain.name}.toml"] = (domain.folder / FILE).read_bytes()
    for name, content in kept.items():
        write_bytes(make_folder(run / FOLDER) / name, content)


def consents_of(run: Path, settings: Mapping[str, Any], letters: Iterable[str], domains: Path) -> dict[str, Consent]:
    """Domain's name -> what its person agreed to: as the domain has it now, or else as the run has it.

    Raises SettingsError where one is damaged, MissingInputError.
    """
    found = {path.stem: read_consent(path) for path in _files(run)}
    folders = {Path(settings[letter]).name: Path(settings[letter]) for letter in letters}
    for name in dict.fromkeys([*folders, *found]):
        for folder in (folders.get(name), domains / name):
            consent = None if folder is None else consent_of(folder)
            if consent is not None:
                found[name] = consent
                break
    return found


def allow(consents: Mapping[str, Consent], use: str | None) -> dict[str, str]:
    """Domain's name -> digest of the consent that covers what is done. Raises SettingsError where one does not."""
    for name, consent in consents.items():
        if objection := consent.objection(use, date.today()):
            raise SettingsError(f"domain {name}: {objection}")
    return {name: consent.sha256 for name, consent in sorted(consents.items())}


def _files(run: Path) -> list[Path]:
    return sorted((run / FOLDER).glob("[!.]*.toml"))
