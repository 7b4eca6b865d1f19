"""What a result says of itself: its metadata, and where the user signs, its content credentials."""

import hashlib
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from data.disk import file_digest
from data.errors import SettingsError
from data.writing.join import Finish
from pipelines.option_groups import Marking
from pipelines.options import RenderOptions
from pipelines.provenance.consents import allow, consents_of
from pipelines.provenance.credentials import KINDS, Credentials, Statement
from pipelines.provenance.marks import COMPOSITE, CONSENT, RUN, SIGNED, SOURCE, SOURCE_TYPE, USE, WEIGHTS
from pipelines.translating.translation import LoadedRun, Translation
from recycle.runs.runfolder import letters


def credentials_of(options: Marking) -> Credentials | None:
    """The user's, tried out; None where nothing is to be signed. Raises RetargetError."""
    if options.sign is None:
        if options.sign_key is not None:
            raise SettingsError(f"--sign-key {options.sign_key}: give the certificates, too, by --sign CHAIN.pem")
        return None
    return Credentials(options.sign, options.sign_key)


@dataclass(frozen=True)
class Stating:
    """credentials: that sign; None: nothing is signed. consents: domain's name -> digest of what its person agreed to.
    use: what for, as the user says."""

    credentials: Credentials | None = None
    consents: dict[str, str] = field(default_factory=dict)
    use: str | None = None

    @property
    def signer(self) -> str:
        """What tells signers apart; "" where nothing is signed."""
        return "" if self.credentials is None else self.credentials.fingerprint

    def metadata(self, job: Translation, *, signed: bool = True) -> dict[str, str]:
        """Says to people and to machines that the result is synthetic."""
        ends = f"{job.names[0]} in the style of {job.names[1]}"
        said = {
            "comment": f"Synthetic video: translated by retarget {version('retarget')} ({ends})",
            SOURCE_TYPE: COMPOSITE,
            RUN: f"{job.run.resolve().name} ({job.settings['method']}, step {job.step})",
            WEIGHTS: job.weights_sha256(),
            SOURCE: job.source.sha256(),
            CONSENT: ", ".join(f"{name} {digest}" for name, digest in self.consents.items()),
            USE: self.use or "",
            SIGNED: self.signer if signed else "",
        }
        return {name: value for name, value in said.items() if value}

    def finish(self, job: Translation, metadata: dict[str, str], output: Path) -> Finish | None:
        """What signs the files of a result: one, or the pictures of a folder; None where nothing is to be signed.

        Raises SettingsError for a kind of file that holds no credentials.
        """
        if self.credentials is None:
            return None
        if output.suffix and output.suffix.lower() not in KINDS:
            raise SettingsError(f"{output}: this kind of file holds no credentials; end its name in {', '.join(KINDS)}")
        path = job.source.path
        digest = file_digest(path).hex() if path.is_file() else job.source.sha256()
        weights = {f"weights of {metadata[RUN]}": metadata[WEIGHTS]}
        record = {name: value for name, value in metadata.items() if name != "comment"}
        statement = Statement(output.name, metadata["comment"], path, digest, weights, record)
        return partial(self.credentials.sign, statement=statement)


def stating_of(options: RenderOptions, credentials: Credentials | None, loaded: LoadedRun) -> Stating:
    """Asks what the people of the run agreed to. Raises SettingsError where it does not cover this."""
    asked = consents_of(loaded.run, loaded.settings, letters(loaded.settings), options.domains)
    return Stating(credentials, allow(asked, options.use), options.use)


def digest_of_font(options: Marking) -> str:
    """Changes with the font's bytes; "" where there is none."""
    font = options.mark_font
    return hashlib.sha256(font.read_bytes()).hexdigest() if font is not None and font.is_file() else ""
