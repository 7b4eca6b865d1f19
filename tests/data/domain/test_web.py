"""Fetching from the web, against a server on loopback."""

import http.server
import io
import sys
import threading
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import pytest

from data.domain.web import fetch, is_url
from data.errors import FetchError, MissingExtraError, OutputError
from data.world.movement import motion
from data.world.puppets import write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_clip(path, motion(1, 12), "A", 64)
    return path.read_bytes()


@contextmanager
def serving(pages: dict[str, tuple[str, bytes]], cut_short: bool = False):
    """Serves path -> (content type, body) on loopback; gives the address and the list of paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, with_body: bool) -> None:
            asked.append(self.path)
            if self.path.split("?")[0] not in pages:
                self.send_error(404)
                return
            kind, body = pages[self.path.split("?")[0]]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body[: len(body) // 2] if cut_short else body)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """Loopback is reached directly, whatever proxy the environment names."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def test_a_video_is_fetched_once_and_then_taken_from_the_cache(tmp_path, clip, capfd):
    cache = tmp_path / "not" / "yet" / "there"
    with serving({"/a%20clip.mp4": ("video/mp4", clip)}) as (address, asked):
        url = f"{address}/a%20clip.mp4"
        path = fetch(url, cache)
        assert asked
    assert path.read_bytes() == clip
    assert path.suffix == ".mp4"
    assert names(cache) == [path.name]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert [frame.pts * stream.time_base for frame in container.decode(stream)] == [
            Fraction(n, 25) for n in range(12)
        ]
        assert len(container.streams.audio) == 1
    # The server is gone now.
    assert fetch(url, cache) == path
    captured = capfd.readouterr()
    assert captured.out == "", "stdout is the command's own"
    assert captured.err == "", "no progress where stderr is no terminal"


def test_addresses_with_different_queries_are_different_videos(tmp_path, clip):
    with serving({"/clip.mp4": ("video/mp4", clip)}) as (address, _):
        paths = {fetch(f"{address}/clip.mp4?id={number}", tmp_path) for number in range(2)}
    assert len(paths) == 2


def test_names_from_the_web_stay_inside_the_cache(tmp_path, clip):
    with serving({"/..%2f..%2fetc%2f-evil;name.mp4": ("video/mp4", clip)}) as (address, _):
        path = fetch(f"{address}/..%2f..%2fetc%2f-evil;name.mp4", tmp_path / "cache")
    assert path.parent == tmp_path / "cache"
    assert not path.name.startswith((".", "-"))
    assert names(tmp_path) == ["cache"]


def alone(clip: bytes, kind: str) -> bytes:
    """Only the pictures or only the sound of a clip."""
    target = io.BytesIO()
    with av.open(io.BytesIO(clip)) as source, av.open(target, "w", format="mp4") as output:
        stream = next(stream for stream in source.streams if stream.type == kind)
        copy = output.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
    return target.getvalue()


@pytest.mark.parametrize("on_path", [True, False])
def test_pictures_and_sound_that_a_site_keeps_apart_are_joined(tmp_path, clip, monkeypatch, on_path):
    if not on_path:
        monkeypatch.setenv("PATH", "")
    manifest = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT0.48S"><Period>
<AdaptationSet mimeType="video/mp4"><Representation id="v" codecs="avc1.64000a" bandwidth="90000" width="64"
height="64"><BaseURL>video.mp4</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4"><Representation id="a" codecs="mp4a.40.2" bandwidth="60000">
<BaseURL>audio.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"""
    pages = {
        "/film.mpd": ("application/dash+xml", manifest.encode()),
        "/video.mp4": ("video/mp4", alone(clip, "video")),
        "/audio.mp4": ("audio/mp4", alone(clip, "audio")),
    }
    with serving(pages) as (address, _):
        path = fetch(f"{address}/film.mpd", tmp_path)
    assert names(tmp_path) == [path.name]
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == 1
        assert len(list(container.decode(video=0))) == 12


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert "\x1b" not in text
    return text


def test_a_missing_page_is_one_line_in_the_words_of_yt_dlp(tmp_path):
    with serving({}) as (address, _), pytest.raises(FetchError) as error:
        fetch(f"{address}/clip.mp4", tmp_path)
    assert "404" in one_line(error)
    assert f"{address}/clip.mp4" in one_line(error)
    assert names(tmp_path) == []


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    with serving({}) as (address, _):
        pass
    with pytest.raises(FetchError) as error:
        fetch(f"{address}/clip.mp4", tmp_path)
    assert "refused" in one_line(error)


def test_a_page_without_a_video_is_refused(tmp_path):
    page = b"<html><title>Hello</title><p>No film here.</html>"
    with serving({"/page": ("text/html", page)}) as (address, _), pytest.raises(FetchError) as error:
        fetch(f"{address}/page", tmp_path)
    one_line(error)
    assert names(tmp_path) == []


def test_a_list_of_videos_is_refused(tmp_path, clip):
    pages = {"/clip.mp4": ("video/mp4", clip)}
    with serving(pages) as (address, _), pytest.raises(FetchError, match="is a list of videos") as error:
        items = "".join(f"<item><title>{n}</title><link>{address}/clip.mp4?n={n}</link></item>" for n in range(3))
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Films</title>{items}</channel></rss>'
        pages["/feed.xml"] = ("application/rss+xml", feed.encode())
        fetch(f"{address}/feed.xml", tmp_path)
    one_line(error)
    assert names(tmp_path) == []


def test_a_download_that_breaks_off_never_looks_complete(tmp_path, clip, monkeypatch):
    yt_dlp = pytest.importorskip("yt_dlp")
    patient = yt_dlp.YoutubeDL
    monkeypatch.setattr(yt_dlp, "YoutubeDL", lambda options: patient({**options, "retries": 0}))
    pages = {"/clip.mp4": ("video/mp4", clip)}
    with serving(pages, cut_short=True) as (address, _), pytest.raises(FetchError) as error:
        fetch(f"{address}/clip.mp4", tmp_path)
    one_line(error)
    assert names(tmp_path) == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/clip.mp4", "http:///clip.mp4", "ytsearch:x"])
def test_only_http_and_https_are_fetched(tmp_path, url):
    with pytest.raises(FetchError, match="only http and https") as error:
        fetch(url, tmp_path)
    one_line(error)


def test_without_the_extra_the_line_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yt_dlp", None)
    with pytest.raises(MissingExtraError) as error:
        fetch("https://example.org/clip.mp4", tmp_path / "cache")
    assert "pip install -e '.[web]'" in one_line(error)
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError) as error:
        fetch("http://127.0.0.1:9/clip.mp4", tmp_path / "file" / "cache")
    one_line(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.org/watch?v=1", True),
        ("HTTP://EXAMPLE.ORG", True),
        ("ftp://example.org/a.mp4", True),
        ("clip.mp4", False),
        ("/home/me/clip.mp4", False),
        (r"C:\clips\a.mp4", False),
        ("C://clips/a.mp4", False),
        ("what: a clip.mp4", False),
        ("", False),
    ],
)
def test_addresses_are_told_from_paths(text, expected):
    assert is_url(text) is expected
