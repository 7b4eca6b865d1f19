"""Model files: found, verified, fetched once from a server on loopback, refused when they are something else."""

import hashlib
import http.server
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from data.errors import MissingModelError
from data.models import MODELS, Model, find_model

CONTENT = b"weights " * 1000
UNREACHABLE = "http://127.0.0.1:9/none.onnx"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """No test sees the models of the machine it runs on."""
    for variable in ("RETARGET_MODELS", "TORCH_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def server():
    """(url, number of requests so far) of a server that answers every path with CONTENT."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(404 if self.path.startswith("/missing") else 200)
            self.end_headers()
            self.wfile.write(CONTENT)

        def log_message(self, format, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", requests
        running.shutdown()


def table(*urls: str, content: bytes = CONTENT) -> dict[str, Model]:
    return {"thing": Model("thing", "thing.onnx", urls, hashlib.sha256(content).hexdigest(), "MIT")}


def test_fetched_once_then_found(tmp_path, server):
    url, requests = server
    first = find_model("thing", tmp_path / "models", table(url + "/thing.onnx"))
    second = find_model("thing", tmp_path / "models", table(url + "/thing.onnx"))
    assert first == second == tmp_path / "models" / "thing.onnx"
    assert first.read_bytes() == CONTENT
    assert len(requests) == 1
    assert [p.name for p in first.parent.iterdir()] == ["thing.onnx"]  # nothing temporary left


def test_second_url_is_tried(tmp_path, server):
    url, requests = server
    find_model("thing", tmp_path, table(url + "/missing", url + "/thing.onnx"))
    assert requests == ["/missing", "/thing.onnx"]


def test_wrong_content_from_server_is_refused_and_not_kept(tmp_path, server):
    with pytest.raises(MissingModelError, match="sha256") as caught:
        find_model("thing", tmp_path / "m", table(server[0], content=b"other"))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "m").iterdir()) == []


def test_refused_connection_says_what_to_do(tmp_path):
    wanted = table(UNREACHABLE)
    with pytest.raises(MissingModelError) as caught:
        find_model("thing", tmp_path, wanted)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("thing.onnx", UNREACHABLE, wanted["thing"].sha256, str(tmp_path)):
        assert part in message


def test_wrong_file_in_folder_is_refused(tmp_path):
    (tmp_path / "thing.onnx").write_bytes(b"something else")
    with pytest.raises(MissingModelError, match="not the known file"):
        find_model("thing", tmp_path, table(UNREACHABLE))


@pytest.mark.parametrize("place", ["option", "environment", "cache", "torch hub"])
def test_every_place_is_looked_into(tmp_path, monkeypatch, place):
    folder = {
        "option": tmp_path / "option",
        "environment": tmp_path / "environment",
        "cache": tmp_path / "cache" / "retarget" / "models",
        "torch hub": tmp_path / "torch" / "hub" / "checkpoints",
    }[place]
    folder.mkdir(parents=True)
    (folder / "thing.onnx").write_bytes(CONTENT)
    monkeypatch.setenv("RETARGET_MODELS", str(tmp_path / "environment"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert find_model("thing", tmp_path / "option", table(UNREACHABLE)) == folder / "thing.onnx"


def test_unwritable_folder_fetches_into_the_cache(tmp_path, server):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    path = find_model("thing", blocked / "models", table(server[0]))
    assert path == tmp_path / "cache" / "retarget" / "models" / "thing.onnx"


def test_known_models_are_pinned():
    for name, model in MODELS.items():
        assert model.name == name
        assert len(bytes.fromhex(model.sha256)) == 32
        assert all(url.startswith("https://") and url.endswith(model.file_name) for url in model.urls)
    assert MODELS["fan"].sha256.startswith("11f355bf06")  # face-alignment's own pin is in the file's name


def test_shared_yunet_is_the_pinned_one():
    folder = Path(__file__).parents[3] / "shared" / "models"
    if not folder.exists():
        pytest.skip("no folder of shared models beside the checkout")
    assert find_model("yunet", folder, {"yunet": replace(MODELS["yunet"], urls=(UNREACHABLE,))}).parent == folder
