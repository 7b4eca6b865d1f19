"""Fetches a video from the web, once, into a cache folder. Needs the extra `web`: yt-dlp, imported only here."""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from data.disk import make_folder, name_from, output_errors, put_in_place, remove_folder
from data.errors import FetchError, MissingExtraError
from data.writing.assemble import ffmpeg_program

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def is_url(text: str) -> bool:
    """Whether `text` is an address and not a path. `fetch` then says which kinds of address it takes."""
    return _URL.match(text) is not None


def fetch(url: str, cache: Path) -> Path:
    """The video at `url` as a file in the folder `cache`: the best up to 1080p with sound, or what there is.

    A file fetched before is used without asking the network. Partial downloads live in a hidden folder inside `cache`
    and are removed; a file that has its name is whole. Progress goes to stderr where that is a terminal.

    Raises FetchError (an address that is not http or https, of a list or a live stream, or what yt-dlp says),
    MissingExtraError, OutputError.
    """
    parts = urlsplit(url)
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        raise FetchError(f"{url}: cannot be fetched; only http and https addresses are, give a local file by its path")
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    fetched = sorted(cache.glob(f"*-{key}.*"))
    if fetched:
        return fetched[0]
    yt_dlp = _import_yt_dlp(url)
    make_folder(cache)
    with output_errors(cache):
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=cache))
    try:
        name, downloaded = _download(yt_dlp, url, partial)
        finished = cache / f"{name}-{key}{downloaded.suffix}"
        put_in_place(downloaded, finished)
    finally:
        remove_folder(partial)
    return finished


def _import_yt_dlp(url: str) -> ModuleType:
    try:
        import yt_dlp
    except ImportError as error:
        raise MissingExtraError(
            f"{url}: fetching from the web needs yt-dlp; pip install -e '.[web]', or download the file yourself"
        ) from error
    return yt_dlp


def _download(yt_dlp: ModuleType, url: str, folder: Path) -> tuple[str, Path]:
    """Runs yt-dlp with its files in `folder`. Returns a name for the video, and the finished file."""
    refusal: list[str] = []

    def refuse(info: dict[str, Any], *, incomplete: bool = False) -> str | None:
        if (info.get("playlist_count") or 1) > 1:
            refusal.append("is a list of videos; give the address of one")
        elif info.get("is_live"):
            refusal.append("is a live stream; give the address of its recording")
        return refusal[0] if refusal else None

    with _progress() as hook:
        options = {
            "format": "bv*+ba/b/bv*",
            "format_sort": ["res:1080"],  # the shorter side, so that upright video counts as well
            "merge_output_format": "mp4/mkv",
            "paths": {"home": str(folder), "temp": str(folder)},
            "outtmpl": "video.%(ext)s",
            "ffmpeg_location": ffmpeg_program(),  # joins pictures and sound where a site keeps them apart
            "noplaylist": True,
            "playlist_items": "1",
            "match_filter": refuse,
            "cachedir": False,
            "logger": _Silence(),
            "noprogress": True,
            "progress_hooks": [hook],
            "socket_timeout": 30,
            "color": {"stdout": "no_color", "stderr": "no_color"},
        }
        try:
            with yt_dlp.YoutubeDL(options) as downloader:
                info = downloader.extract_info(url, download=True)
        except yt_dlp.utils.YoutubeDLError as error:
            raise FetchError(f"{url}: cannot be fetched ({_one_line(str(error))})") from error
    if refusal:
        raise FetchError(f"{url}: {refusal[0]}")
    info = next(iter(info.get("entries") or [info]), None) or {}
    files = [Path(entry["filepath"]) for entry in info.get("requested_downloads") or []]
    if not files or not files[0].is_file():
        raise FetchError(f"{url}: cannot be fetched (yt-dlp found no video there)")
    return name_from(str(info.get("id", "video")))[:60].strip(" .-") or "video", files[0]


def _one_line(text: str) -> str:
    words = " ".join(_TERMINAL_COLOUR.sub("", text).split()).removeprefix("ERROR: ")
    return words if len(words) <= 300 else words[:299] + "…"


@contextmanager
def _progress() -> Iterator[Any]:
    """A hook for yt-dlp that moves a bar of bytes; each file of a download starts the bar anew."""
    with tqdm(desc="fetch", unit="B", unit_scale=True, unit_divisor=1024, disable=None, leave=False) as bar:
        current = ""

        def hook(state: dict[str, Any]) -> None:
            nonlocal current
            if state["filename"] != current:
                current = state["filename"]
                bar.reset()
            bar.total = state.get("total_bytes") or state.get("total_bytes_estimate")
            bar.update(max(0, state.get("downloaded_bytes", 0) - bar.n))

        yield hook


class _Silence:
    """A logger for yt-dlp: its errors arrive as exceptions, and the rest is not for the user."""

    def debug(self, message: str) -> None:
        """Says nothing."""

    info = warning = error = debug
