"""What may be changed by the page: each thing by a POST that carries JSON, or a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.disk import check_name
from data.errors import MissingInputError, SettingsError, TrainingError
from pipelines.keeping.course import holder
from pipelines.keeping.shelf import Shelf
from pipelines.keeping.trash import remove, restore
from pipelines.studio import crops
from pipelines.studio.asking import words_for
from pipelines.studio.files import roots, uploads_folder
from pipelines.studio.holding import Studio
from pipelines.studio.jobs import ask_to_stop
from pipelines.studio.uploads import receive

Change = Callable[[dict[str, Any], Request], dict[str, Any]]
MOST_JSON_BYTES = 8_000_000


def changing(studio: Studio) -> list[Route]:
    """The addresses that something is posted to."""
    changes = _on_jobs(studio) | _on_places(studio) | _on_previews(studio)
    routes = [Route(path, _changes(change), methods=["POST"]) for path, change in changes.items()]
    return [Route("/api/uploads", _upload(studio), methods=["POST"]), *routes]


def _on_jobs(studio: Studio) -> dict[str, Change]:
    shelf, jobs = studio.shelf, studio.jobs

    def ask(content: dict[str, Any], request: Request) -> dict[str, Any]:
        words, lane, about = words_for(str(content.get("command")), _object(content, "options"), shelf)
        return {"id": jobs.add(words, lane, about)}

    def on_job(content: dict[str, Any], request: Request) -> dict[str, Any]:
        key, wish = request.path_params["id"], request.path_params["wish"]
        if wish == "stop":
            jobs.stop(key)
        elif wish == "again":
            return {"id": jobs.again(key)}
        elif wish == "forget":
            jobs.forget(key)
        else:
            raise MissingInputError(f"{wish}: nothing that can be done to a job")
        return {}

    def stop_training(content: dict[str, Any], request: Request) -> dict[str, Any]:
        ask_to_stop(holder(shelf.place("runs", request.path_params["name"]) / ".lock"))
        return {}

    return {"/api/jobs": ask, "/api/jobs/{id}/{wish}": on_job, "/api/runs/{name}/stop": stop_training}


def _on_previews(studio: Studio) -> dict[str, Change]:
    def preview(content: dict[str, Any], request: Request) -> dict[str, Any]:
        options = _object(content, "options")
        words, _, about = words_for("render", options, studio.shelf)
        if not options.get("preview") or "output" not in about:
            raise SettingsError("a preview is one moment, and has a name")
        answer = studio.warm.ask(words)
        if answer["code"]:
            said = answer["said"].strip().splitlines() or ["it failed"]
            raise (SettingsError if answer["code"] == 2 else TrainingError)(said[-1].removeprefix("retarget render: "))
        return {"output": about["output"]}

    def warm_up(content: dict[str, Any], request: Request) -> dict[str, Any]:
        studio.warm.start()
        return {}

    return {"/api/preview": preview, "/api/warm": warm_up}


def _on_places(studio: Studio) -> dict[str, Change]:
    shelf = studio.shelf

    def drop(content: dict[str, Any], request: Request) -> dict[str, Any]:
        pictures = [(str(clip), int(number)) for clip, number in content["pictures"]]
        return {"id": crops.drop(shelf.place("domains", request.path_params["name"]), pictures)}

    def undrop(content: dict[str, Any], request: Request) -> dict[str, Any]:
        return {"back": crops.take_back(shelf.place("domains", request.path_params["name"]), str(content["id"]))}

    def put_away(content: dict[str, Any], request: Request) -> dict[str, Any]:
        name = check_name(str(content["name"]), "name")
        place = _root(shelf, content) / name
        if holder(place / ".lock") is not None:
            raise SettingsError(f"{place}: is being trained; stop it first")
        return {"id": remove(place)}

    def bring_back(content: dict[str, Any], request: Request) -> dict[str, Any]:
        return {"name": restore(_root(shelf, content), str(content["id"])).name}

    return {
        "/api/domains/{name}/drop": drop,
        "/api/domains/{name}/undo": undrop,
        "/api/remove": put_away,
        "/api/restore": bring_back,
    }


def _changes(change: Change) -> Callable[[Request], Any]:
    """An endpoint that takes a JSON object, of a limited size, and answers with one."""

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type") != "application/json":
            return JSONResponse({"error": "JSON is taken here"}, 415)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_JSON_BYTES:
                return JSONResponse({"error": "too long"}, 413)
        try:
            content = json.loads(body or b"{}")
            if not isinstance(content, dict):
                raise TypeError
            return JSONResponse(await run_in_threadpool(change, content, request))
        except (ValueError, TypeError, KeyError, RecursionError):
            return JSONResponse({"error": "not what is asked for here"}, 400)

    return answer


def _upload(studio: Studio) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            return JSONResponse({"error": "the length has to be told first"}, 411)
        folder, name = uploads_folder(studio.shelf), request.query_params.get("name", "")
        path = await receive(folder, name, int(length), studio.upload_bytes, request.stream())
        return JSONResponse({"name": path.name})

    return answer


def _object(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, dict):
        raise TypeError
    return value


def _root(shelf: Shelf, content: dict[str, Any]) -> Path:
    """The folder that removing is meant in. Raises MissingInputError."""
    found = roots(shelf).get(str(content.get("kind")))
    if found is None or content["kind"] == "previews":
        raise MissingInputError(f"{content.get('kind')}: nothing of that kind is removed")
    return found
