"""The addresses of the studio, and what answers at each."""

from collections.abc import Callable
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from data.errors import MissingInputError, RetargetError
from pipelines.advice import advised
from pipelines.keeping.shelf import Shelf
from pipelines.studio import crops, views
from pipelines.studio.changing import changing
from pipelines.studio.events import Events
from pipelines.studio.files import find, media_type
from pipelines.studio.guard import Guard, Pass
from pipelines.studio.holding import Studio
from pipelines.studio.jobs import Jobs
from pipelines.studio.machine import Machine
from pipelines.studio.warm import Warm

_HTML = files("pipelines") / "html"
SCRIPTS = ("dom.js", "curves.js", "players.js")
OWN_SCRIPTS = ("ask", "parts", "jobs", "training", "home", "domain", "translate", "run", "result", "studio")
_ALONE = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
)
"""Of reports and the like: pages that hold their scripts, may be anybody's, of no origin and no network."""
MOST_CROPS = 500
"""Pictures in one part of a grid."""


def make_app(shelf: Shelf, entry: Pass, upload_bytes: int) -> Guard:
    """The whole studio, guarded."""
    jobs = Jobs(shelf.runs / ".studio")
    studio = Studio(shelf, jobs, Machine(shelf.runs), crops.Grids(), entry, upload_bytes, Warm())
    events = Events(lambda: views.watched(shelf, jobs))
    app = Starlette(
        routes=[*_pages(studio), *_reading(studio, events), *changing(studio)],
        exception_handlers={RetargetError: _told, HTTPException: _http_told, OSError: _system_told},
    )
    app.router.redirect_slashes = False
    return Guard(app, entry)


def _pages(studio: Studio) -> list[Route]:
    scripts = [(_HTML / name).read_text() for name in SCRIPTS]
    scripts += [(_HTML / "studio" / f"{name}.js").read_text() for name in OWN_SCRIPTS]
    styles = [(_HTML / name).read_text() for name in ("page.css", "report.css")]
    styles.append((_HTML / "studio" / "studio.css").read_text())
    skeleton = Template((_HTML / "studio" / "studio.html").read_text())
    whole = skeleton.substitute(token=escape(studio.entry.page_token))
    page = _sends(whole, "text/html")
    return [
        Route("/", page),
        *(Route(f"/{kind}/{{name}}", page) for kind in ("domains", "runs", "renders")),
        Route("/studio.js", _sends("\n".join(scripts), "text/javascript")),
        Route("/studio.css", _sends("\n".join(styles), "text/css")),
    ]


def _sends(text: str, kind: str) -> Callable[[Request], Response]:
    return lambda request: Response(text, media_type=kind)


def _reading(studio: Studio, events: Events) -> list[Route]:
    shelf = studio.shelf

    def crop_page(request: Request) -> Response:
        asked = request.query_params
        found = studio.grids.page(
            shelf.place("domains", request.path_params["name"]),
            clip=asked.get("clip", ""),
            sort=asked.get("sort", ""),
            falling=asked.get("falling") == "true",
            first=_number(asked.get("first", "0"), 10**9),
            count=_number(asked.get("count", "200"), MOST_CROPS),
        )
        return JSONResponse(found)

    def file(request: Request) -> Response:
        download = "download" in request.query_params
        path = find(shelf, request.path_params["kind"], request.path_params["place"])
        headers = {"cache-control": "private, max-age=60", "content-security-policy": "default-src 'none'; sandbox"}
        name = path.name if download else None
        return FileResponse(path, media_type=media_type(path, download=download), headers=headers, filename=name)

    def page(request: Request) -> Response:
        path = find(shelf, request.path_params["kind"], request.path_params["place"])
        if path.suffix != ".html":
            raise MissingInputError(f"{path.name}: no page")
        return FileResponse(path, media_type="text/html", headers={"content-security-policy": _ALONE})

    def stream(request: Request) -> Response:
        return StreamingResponse(events.stream(), media_type="text/event-stream")

    def view(tell: Callable[[Shelf, str], dict[str, Any]]) -> Callable[[Request], Response]:
        return lambda request: JSONResponse(tell(shelf, request.path_params["name"]))

    return [
        Route("/api/home", lambda request: JSONResponse(views.home(shelf, studio.jobs, studio.machine))),
        Route("/api/choices", lambda request: JSONResponse(views.choices())),
        Route("/api/domains/{name}", view(views.domain)),
        Route("/api/domains/{name}/crops", crop_page),
        Route("/api/runs/{name}", view(views.run)),
        Route("/api/renders/{name}", view(views.result)),
        Route("/api/jobs/{id}", lambda request: JSONResponse(studio.jobs.told(request.path_params["id"]))),
        Route("/files/{kind}/{place:path}", file),
        Route("/pages/{kind}/{place:path}", page),
        Route("/events", stream),
    ]


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isdecimal() and len(text) < 12 else 0


def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, RetargetError)
    status = 404 if isinstance(error, MissingInputError) else 500 if error.exit_code == 1 else 400
    return JSONResponse({"error": advised(error)}, status)


def _system_told(request: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    return JSONResponse({"error": f"{error.filename or 'the system'}: {error.strerror or error}"}, 500)


def _http_told(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code)
