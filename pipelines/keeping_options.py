"""The options of the commands around what is there: studio, runs, domains, remove, inspect."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pipelines.option_groups import DomainsFolder, RunsFolder


@dataclass(frozen=True, kw_only=True)
class RendersFolder:
    renders: Path = Path("renders")
    """Folder that results are kept in."""


@dataclass(frozen=True, kw_only=True)
class StudioOptions(RendersFolder, RunsFolder, DomainsFolder):
    """The commands in a browser: drop videos in, watch training, look at results. Needs the extra studio."""

    port: int = 8765
    """Of the page's address. 0: any that is free."""
    host: str = "127.0.0.1"
    """Address to listen on. Everything but this machine's own is a risk: whoever sees the traffic gets in."""
    upload_gigabytes: float = 20.0
    """The most that one dropped file may have."""


@dataclass(frozen=True, kw_only=True)
class RunsOptions(RunsFolder):
    """List the runs with their state, step, score, size and age."""


@dataclass(frozen=True, kw_only=True)
class DomainsOptions(DomainsFolder):
    """List the domains with their pictures, clips, size and age."""


@dataclass(frozen=True, kw_only=True)
class RemoveOptions(RendersFolder, RunsFolder, DomainsFolder):
    """Put domains, runs or results into the trash of their folder, or take them back."""

    names: tyro.conf.Positional[tuple[str, ...]]
    """Folders and files to remove, such as runs/anna-ben; a bare name where only one thing is called so."""
    undo: bool = False
    """Take back what was removed last under these names."""


@dataclass(frozen=True, kw_only=True)
class InspectOptions:
    """Say what a file that was rendered says of itself: synthetic or not, by which run, from what, signed by whom."""

    file: tyro.conf.Positional[Path]
    """A video, a picture, or a folder of pictures."""
    source: Path | None = None
    """Also say whether this is the clip that it was made from."""
    trust: Annotated[Path | None, tyro.conf.arg(metavar="ROOTS.pem")] = None
    """Also say whether these certificates vouch for whoever signed it."""
