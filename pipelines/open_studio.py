"""`retarget studio`: the commands in a browser on this machine."""

import ipaddress
import socket
from contextlib import suppress
from pathlib import Path

from data.disk import make_folder
from data.errors import MissingExtraError, OutputError, SettingsError
from pipelines.keeping.shelf import Shelf
from pipelines.keeping_options import StudioOptions
from pipelines.places import say

try:
    import uvicorn

    from pipelines.studio.app import make_app
    from pipelines.studio.guard import Pass
    from pipelines.studio.jobs import Jobs
except ImportError as error:
    if (error.name or "").partition(".")[0] not in ("uvicorn", "starlette"):
        raise
    uvicorn = None  # type: ignore[assignment]

MOST_CONNECTIONS = 200
_CLOSING_SECONDS = 1


def open_studio(options: StudioOptions) -> None:
    """Serves until Ctrl-C. What it started goes on without it. Raises RetargetError."""
    if uvicorn is None:
        raise MissingExtraError("the studio needs two packages more: pip install -e '.[studio]'")
    if options.upload_gigabytes <= 0:
        raise SettingsError(f"--upload-gigabytes {options.upload_gigabytes:g}: has to be above 0")
    shelf = Shelf(options.domains, options.runs, options.renders)
    for folder in (shelf.domains, shelf.runs, shelf.renders):
        make_folder(folder)
    listener = _listener(options)
    port = listener.getsockname()[1]
    loopback = _is_loopback(options.host)
    names = {"localhost"} if loopback else {"localhost", options.host.lower(), socket.gethostname().lower()}
    entry = Pass(port, frozenset(names), loopback=loopback)
    shown = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host
    shown = f"[{shown}]" if ":" in shown else shown
    if not loopback:
        say(
            f"--host {options.host}: open to other machines, without encryption: whoever sees the traffic gets in and "
            "can start commands as you; better leave it away and come through: ssh -L"
        )
    Jobs(shelf.runs / ".studio").wake()  # what was queued when the last server ended
    say(f"studio of {Path.cwd()}: open http://{shown}:{port}/?token={entry.token}")
    say("Ctrl-C closes it; what it started goes on")
    app = make_app(shelf, entry, round(options.upload_gigabytes * 1e9))
    settings = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS, timeout_graceful_shutdown=_CLOSING_SECONDS, ws="none",
    )  # fmt: skip
    with suppress(KeyboardInterrupt):  # which is how it is closed
        uvicorn.Server(settings).run(sockets=[listener])


def _listener(options: StudioOptions) -> socket.socket:
    """Raises OutputError, SettingsError."""
    try:
        family = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen()  # before the address is told
    except socket.gaierror as error:
        raise SettingsError(f"--host {options.host}: no address of this machine") from error
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"--port {options.port}: cannot listen there ({reason}); give another") from error
    return listener


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
