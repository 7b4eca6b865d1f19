"""What a result says of itself: its metadata, and where the user signs, its content credentials."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from data.disk import file_digest
from data.errors import SettingsError
from data.writing.join import Finish
from pipelines.option_groups import Marking
from pipelines.provenance.credentials import KINDS, Credentials, Statement
from pipelines.provenance.marks import COMPOSITE, RUN, SIGNED, SOURCE, SOURCE_TYPE, WEIGHTS
from pipelines.translating.translation import Translation


def credentials_of(options: Marking) -> Credentials | None:
    """The user's, tried out; None where nothing is to be signed. Raises RetargetError."""
    if options.sign is None:
        if options.sign_key is not None:
            raise SettingsError(f"--sign-key {options.sign_key}: give the certificates, too, by --sign CHAIN.pem")
        return None
    return Credentials(options.sign, options.sign_key)


def metadata_of(job: Translation, signing: Credentials | None) -> dict[str, str]:
    """Says to people and to machines that the result is synthetic."""
    ends = f"{job.names[0]} in the style of {job.names[1]}"
    return {
        "comment": f"Synthetic video: translated by retarget {version('retarget')} ({ends})",
        SOURCE_TYPE: COMPOSITE,
        RUN: f"{job.run.resolve().name} ({job.settings['method']}, step {job.step})",
        WEIGHTS: job.weights_sha256(),
        SOURCE: job.source.sha256(),
    } | ({} if signing is None else {SIGNED: signing.fingerprint})


class Signing:
    """Signs what is written of one clip: a file, or the pictures of a folder."""

    def __init__(self, credentials: Credentials, job: Translation, metadata: dict[str, str], output: Path) -> None:
        """Raises SettingsError for a kind of file that holds no credentials."""
        kind = output.suffix.lower()
        if kind and kind not in KINDS:
            raise SettingsError(f"{output}: this kind of file holds no credentials; end its name in {', '.join(KINDS)}")
        self._output = output
        path = job.source.path
        digest = file_digest(path).hex() if path.is_file() else job.source.sha256()
        self._credentials, self._metadata, self._source = credentials, metadata, (path, digest)

    def finish(self, path: Path, signed: Path) -> None:
        """Writes the file at `path` with credentials to `signed`. Raises OutputError."""
        said = {name: value for name, value in self._metadata.items() if name != "comment"}
        done = self._metadata["comment"]
        source, digest = self._source
        run = {f"weights of {said[RUN]}": said[WEIGHTS]}
        title = self._output.name if self._output.suffix else f"{self._output.name}/{signed.name}"
        self._credentials.sign(path, signed, Statement(title, done, source, digest, run, said))


def finish_for(signing: Credentials | None, job: Translation, metadata: dict[str, str], output: Path) -> Finish | None:
    """What signs the files of a result; None where nothing is to be signed. Raises SettingsError."""
    return None if signing is None else Signing(signing, job, metadata, output).finish


def digest_of_font(options: Marking) -> str:
    """Changes with the font's bytes; "" where there is none."""
    font = options.mark_font
    return hashlib.sha256(font.read_bytes()).hexdigest() if font is not None and font.is_file() else ""
