"""What a stranger's page, a stranger's name and a stranger's file try on the studio: refused, nothing done."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import write_config, write_domain, write_logs
from tests.pipelines.studio.server import Client, studio


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a domain, a run, a result, a secret beside them, and links to it."""
    folder = tmp_path_factory.mktemp("studio")
    write_domain(folder / "domains/anna", frames=6)
    (folder / "runs/anna-ben").mkdir(parents=True)
    write_config(folder / "runs/anna-ben")
    write_logs(folder / "runs/anna-ben", rows=3, samples=(5,))
    (folder / "renders").mkdir()
    (folder / "renders/clip.mp4").write_bytes(b"0123456789")
    (folder / "renders/page.html").write_text("<script>hit()</script>")
    (folder / "renders/.hidden.mp4").write_bytes(b"hidden")
    (folder / "secret.mp4").write_bytes(b"secret")
    (folder / "renders/link.mp4").symlink_to(folder / "secret.mp4")
    (folder / "domains/away").symlink_to(folder)
    return folder


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    with studio(place) as found:
        yield found


def state(place: Path) -> list[str]:
    """Every name below the folder, but what jobs leave."""
    return sorted(str(path.relative_to(place)) for path in place.rglob("*") if ".studio" not in path.parts)


REMOVE = {"kind": "runs", "name": "anna-ben"}


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (421, {"host": "evil.example:80"}),
        (421, {"host": "evil.example"}),
        (421, {"host": "127.0.0.1.evil.example:{port}"}),
        (421, {"host": "192.0.2.1:{port}"}),
        (403, {"origin": "http://evil.example"}),
        (403, {"origin": "http://127.0.0.1:1"}),
        (403, {"origin": "https://127.0.0.1:{port}"}),
        (403, {"origin": "null"}),
        (403, {"origin": None}),
        (403, {"sec_fetch_site": "cross-site"}),
        (403, {"sec_fetch_site": "same-site", "sec_fetch_mode": "no-cors"}),
        (403, {"x_studio_token": None}),
        (403, {"x_studio_token": "0" * 64}),
        (401, {"cookie": None}),
        (401, {"cookie": "retarget_studio_{port}=" + "0" * 64}),
        (415, {"content_type": "text/plain"}),
        (415, {"content_type": "application/x-www-form-urlencoded"}),
    ],
)
def test_a_change_by_anybody_else_is_refused(
    client: Client, place: Path, status: int, headers: dict[str, str | None]
) -> None:
    before = state(place)
    changed = {name: value and value.replace("{port}", str(client.port)) for name, value in headers.items()}
    assert client.post("/api/remove", REMOVE, **changed).status == status
    assert state(place) == before


@pytest.mark.parametrize(
    "path", ["/", "/api/home", "/files/renders/clip.mp4", "/events", "/studio.js", "/runs/anna-ben"]
)
def test_nothing_is_shown_without_the_cookie_or_under_another_name(client: Client, path: str) -> None:
    assert client.ask("GET", path, cookie=None).status == 401
    assert client.ask("GET", path, host="evil.example").status == 421
    assert client.ask("GET", path, sec_fetch_site="cross-site", sec_fetch_mode="no-cors").status == 403


def test_the_first_address_lets_in_once_the_token_is_right(client: Client) -> None:
    for wrong in ("", "x", client.token[:-1], client.token + "x", "%C3%BC"):
        assert client.ask("GET", f"/?token={wrong}", cookie=None).status == 401
    answer = client.ask("GET", f"/?token={client.token}", cookie=None)
    assert answer.status == 303
    kept = answer.headers["set-cookie"].lower()
    assert "httponly" in kept and "samesite=strict" in kept
    assert client.token not in kept  # what a page could steal is not the key to the house
    assert client.token not in client.ask("GET", "/").body.decode()


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_only_reading_and_posting_is_known(client: Client, method: str) -> None:
    assert client.ask(method, "/api/home").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "renders/../secret.mp4",
        "renders/%2e%2e/secret.mp4",
        "renders/..%2fsecret.mp4",
        "renders/....//secret.mp4",
        "renders//secret.mp4",
        "renders/link.mp4",
        "domains/away/secret.mp4",
        "renders/.hidden.mp4",
        "renders/clip.mp4/",
        "renders/clip.mp4%00.jpg",
        "renders/..%5csecret.mp4",
        "renders/page.html",
        "runs/anna-ben/config.json",
        "runs/.studio",
        "renders/",
        "renders/%ff%fe.mp4",
        "renders/" + "a" * 5000 + ".mp4",
        "nothing/clip.mp4",
        "/etc/passwd",
        "renders//etc/passwd",
    ],
)
def test_no_file_outside_is_served(client: Client, path: str) -> None:
    answer = client.ask("GET", f"/files/{path}")
    assert answer.status in (404, 400)
    assert b"secret" not in answer.body.replace(b"secret.mp4", b"") and b"root:" not in answer.body


def test_what_is_there_is_served_in_parts_and_as_what_it_is(client: Client) -> None:
    whole = client.ask("GET", "/files/renders/clip.mp4")
    assert (whole.status, whole.body, whole.headers["content-type"]) == (200, b"0123456789", "video/mp4")
    part = client.ask("GET", "/files/renders/clip.mp4", range="bytes=2-4")
    assert (part.status, part.body) == (206, b"234")
    saved = client.ask("GET", "/files/renders/page.html?download")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert saved.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in saved.headers["content-security-policy"]


def test_a_page_of_anybody_is_of_no_origin(client: Client) -> None:
    answer = client.ask("GET", "/pages/renders/page.html")
    policy = answer.headers["content-security-policy"]
    assert answer.status == 200 and policy.startswith("sandbox allow-scripts") and "default-src 'none'" in policy
    assert "allow-same-origin" not in policy and "connect-src" not in policy
    for path in ("renders/clip.mp4", "renders/link.mp4", "domains/away/setup.html", "renders/../renders/page.html"):
        assert client.ask("GET", f"/pages/{path}").status == 404


def test_pages_run_nothing_but_their_own_script(client: Client) -> None:
    answer = client.ask("GET", "/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "<script>" not in answer.body.decode()


@pytest.mark.parametrize("name", ["../runs/anna-ben", "..", ".", "", "/etc", ".studio", "a/b", "a\0b", "away/../anna"])
@pytest.mark.parametrize("kind", ["runs", "domains", "uploads", "previews", "etc", "../.."])
def test_only_what_is_named_plainly_is_removed(client: Client, place: Path, kind: str, name: str) -> None:
    before = state(place)
    assert client.post("/api/remove", {"kind": kind, "name": name}).status in (400, 404)
    assert client.post("/api/restore", {"kind": kind, "id": name}).status in (400, 404)
    assert state(place) == before


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("remove", {"names": ["anna"]}),
        ("train; rm -rf /", {"a": "anna", "b": "anna"}),
        ("train", {"a": "anna", "b": "../../etc"}),
        ("train", {"a": "anna", "b": "--help"}),
        ("train", {"a": "anna", "b": "anna", "run": "../../out"}),
        ("train", {"a": "anna", "b": "anna", "steps": "5 --run /tmp/x"}),
        ("train", {"a": "anna", "b": "anna", "steps": [1]}),
        ("train", {"a": "anna", "b": "anna", "vgg_weights": "/etc/passwd"}),
        ("train", {"a": "anna", "b": "anna", "method": "--run=/tmp/x"}),
        ("train", {"a": "anna", "b": "anna", "preset": "huge"}),
        ("train", {"a": "anna", "b": "anna", "flip": "yes"}),
        ("train", {"a": "anna", "b": "anna", "domains": "/etc"}),
        ("render", {"run": "anna-ben", "output": "/tmp/x.mp4"}),
        ("render", {"run": "anna-ben", "output": "../x.mp4"}),
        ("render", {"run": "../domains/anna"}),
        ("render", {"run": "anna-ben", "input": ["upload:../../secret.mp4"]}),
        ("render", {"run": "anna-ben", "input": ["--output=/tmp/x"]}),
        ("render", {"run": "anna-ben", "start": "1\n--output=/tmp/x"}),
        ("extract", {"videos": ["--domains=/tmp"], "name": "x"}),
        ("extract", {"videos": ["upload:x.mp4"]}),
        ("extract", {"videos": [], "name": "x"}),
        ("extract", {"videos": ["/tmp"], "name": "-rf"}),
        ("extract", {"videos": ["/tmp"], "face": "/etc/passwd"}),
        ("extract", {"videos": ["file:///etc/passwd"]}),
    ],
)
def test_only_known_options_of_known_commands_are_asked_for(
    client: Client, place: Path, command: str, options: dict[str, object]
) -> None:
    answer = client.post("/api/jobs", {"command": command, "options": options})
    assert answer.status in (400, 404), answer.body
    assert client.ask("GET", "/api/home").json["jobs"] == []


@pytest.mark.parametrize(
    "content", [[], "x", {"command": "train", "options": []}, {"pictures": "x"}, {"pictures": [["a", "b", "c"]]}]
)
@pytest.mark.parametrize("path", ["/api/jobs", "/api/domains/anna/drop", "/api/remove", "/api/jobs/1/stop"])
def test_what_is_no_question_is_told_so(client: Client, path: str, content: object) -> None:
    body = json.dumps(content).encode()
    assert client.ask("POST", path, body, content_type="application/json").status in (400, 404)
    assert client.ask("POST", path, b"[" * 100_000, content_type="application/json").status in (400, 404)


def test_uploads_are_named_by_us_whole_and_limited(place: Path, client: Client) -> None:
    folder = place / "domains/.uploads"

    def send(name: str, body: bytes, **changed: str | None) -> int:
        answer = client.ask("POST", f"/api/uploads?name={name}", body, content_type="video/mp4", **changed)
        return answer.status

    assert send("..%2f..%2fout.mp4", b"video") == 200
    assert send("%3Cimg%20src%3Dx%20onerror%3Dhit()%3E.mp4", b"video") == 200
    assert send("out.mp4", b"other") == 200
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 3 and not any(sign in name for name in names for sign in "<>/\"'")
    assert (folder / "out.mp4").read_bytes() == b"video"  # never over another
    for wrong in ("page.html", "a.exe", "noend", "", "a.mp4.sh", ".mp4"):
        assert send(wrong, b"x") in (200, 400)
    assert not [path for path in folder.iterdir() if path.suffix not in (".mp4",)]
    before = sorted(path.name for path in folder.iterdir())
    assert send("big.mp4", b"", content_length=str(10**15)) == 400
    assert send("big.mp4", b"", content_length="-1") in (400, 411)
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.putrequest("POST", "/api/uploads?name=half.mp4")
    for name, value in (client.headers | {"content-length": "1000000"}).items():
        connection.putheader(name, str(value))
    connection.endheaders(b"half of it")
    connection.close()
    assert client.ask("GET", "/api/home").status == 200
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == before


def test_a_page_that_is_not_there_is_not_there(client: Client) -> None:
    for path in ("/nothing", "/api/nothing", "/api/runs/nobody", "/api/domains/..", "/api/jobs/../../x", "/files/x"):
        assert client.ask("GET", path).status in (404, 400)
