"""Where commands meet: the folders of domains, runs and renders."""

from pathlib import Path

from tqdm import tqdm

from data.disk import check_name
from data.domain.domain import Domain
from data.errors import MissingInputError


def say(line: str) -> None:
    """Prints a line for the user at once, as `printable` has it, with every bar out of its way."""
    with tqdm.external_write_mode():
        print(printable(line, keep="\n"), flush=True)


def printable(text: str, keep: str = "") -> str:
    """Text as a terminal may be shown it: names and metadata of files cannot steer it, odd bytes are escapes.

    keep: control characters that are meant.
    """
    shown = (c if c.isprintable() or c in keep else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return "".join(shown)


def find_domain(name: str, domains: Path) -> Domain:
    """The domain of that name, or in that folder. Raises MissingInputError, BadNameError, SettingsError."""
    if (Path(name) / "domain.json").is_file():
        return Domain.load(Path(name), say)
    folder = Path(name) if "/" in name else domains / check_name(name, "domain")
    moved = domains / folder.name
    if not folder.is_dir() and moved != folder and (moved / "domain.json").is_file():
        say(f"{folder}: is not there; {moved} is taken")
        folder = moved
    if not folder.is_dir() and domains.is_dir():
        there = ", ".join(sorted(p.parent.name for p in domains.glob("*/domain.json")))
        if there:
            raise MissingInputError(f"{folder}: no such domain; in {domains} there are: {there}")
    return Domain.load(folder, say)


def newest_run(runs: Path) -> Path:
    """The run of `runs` that was trained last. Raises MissingInputError."""
    trained = [path.parent for path in runs.glob("*/config.json") if (path.parent / "checkpoints").is_dir()]
    if not trained:
        raise MissingInputError(f"{runs}: no trained run in it; make one with: retarget train A B, or give --run")
    return max(trained, key=lambda run: (run / "checkpoints").stat().st_mtime_ns)
