"""A studio in a process of its own, and a browser without a face to talk to it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Asks the studio at `port` as its own page does; every header can be another one, or None to leave it away."""

    port: int
    token: str
    process: subprocess.Popen
    headers: dict[str, str | None] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def enter(self) -> None:
        """Gets the cookie by the token of the first address, and the page's token from the page."""
        first = self.ask("GET", f"/?token={self.token}")
        assert first.status == 303
        self.headers["cookie"] = first.headers["set-cookie"].partition(";")[0]
        page = self.ask("GET", "/").body.decode()
        found = re.search(r'<meta name="token" content="([^"]+)">', page)
        assert found
        self.headers |= {"x-studio-token": found[1], "origin": f"http://127.0.0.1:{self.port}"}

    def ask(self, method: str, path: str, body: bytes | None = None, **changed: str | None) -> Answer:
        """changed: headers by their names with _ for -."""
        asked = self.headers | {name.replace("_", "-"): value for name, value in changed.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host="host" in asked, skip_accept_encoding=True)
            for name, value in asked.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None and "content-length" not in asked:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, path: str, content: Any = None, **changed: str | None) -> Answer:
        headers = {"content_type": "application/json"} | changed
        return self.ask("POST", path, json.dumps(content or {}).encode(), **headers)

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def studio(place: Path, *words: str) -> Iterator[Client]:
    """`retarget studio` over a folder, on any free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.cli", "studio", "--port", "0", *words],
        cwd=place, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    try:
        assert process.stdout
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", line):
                break
        else:
            raise AssertionError("the studio did not start")
        client = Client(int(found[1]), found[2], process)
        client.enter()
        yield client
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)
        assert process.stdout
        process.stdout.close()
