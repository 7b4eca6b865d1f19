"""Who is let in: a browser that was given the token, asking for itself and not for a stranger's page."""

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
TOKEN_HEADER = "x-studio-token"
"""That every change carries: a page of another origin cannot set it."""


@dataclass(frozen=True)
class Pass:
    """What lets a browser in. port: the server's. names: hosts by which it may be called beside its addresses.

    token: in the first address. From it come the cookie and what pages put into every change, so that neither of them
    gives the others away.
    """

    port: int
    names: frozenset[str] = frozenset({"localhost"})
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    loopback: bool = True

    @property
    def cookie_name(self) -> str:
        """Cookies are shared by all ports of a host, so each server has its own."""
        return f"retarget_studio_{self.port}"

    @property
    def cookie(self) -> str:
        return self._derived("cookie")

    @property
    def page_token(self) -> str:
        return self._derived("page")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def is_ours(self, host: str) -> bool:
        """Whether a Host header means this server. A name that somebody's DNS lets point here is none of ours."""
        name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
        if not name:
            name, port = host, "80"
        if port != str(self.port):
            return False
        if name.lower() in self.names:
            return True
        try:
            address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return address.is_loopback or not self.loopback


class Guard:
    """Lets requests through to `app` that are this person's own; answers the rest, and puts headers on all."""

    def __init__(self, app: ASGIApp, entry: Pass) -> None:
        self._app, self._pass = app, entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # nothing here speaks over sockets

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        request = Request(scope)
        answer = self._refusal(request)
        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, request: Request) -> Response | None:
        """The answer to what is not let in; None for what is."""
        hosts, headers = request.headers.getlist("host"), request.headers
        if len(hosts) != 1 or not self._pass.is_ours(hosts[0]):
            return _no(421, "this is not the address of this studio")
        if request.method not in ("GET", "HEAD", "POST"):
            return _no(405, "not a thing to do here")
        is_visit = request.method == "GET" and headers.get("sec-fetch-mode") in (None, "navigate")
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and not is_visit:
            return _no(403, "asked for by another site")
        if request.method == "GET" and request.url.path == "/" and "token" in request.query_params:
            return self._entrance(request.query_params["token"])
        if not _same(request.cookies.get(self._pass.cookie_name, ""), self._pass.cookie):
            return _no(401, "open the address that retarget studio printed: the token in it lets you in")
        if request.method == "POST":
            if headers.getlist("origin") != [f"http://{hosts[0]}"]:
                return _no(403, "posted by another site")
            if not _same(headers.get(TOKEN_HEADER, ""), self._pass.page_token):
                return _no(403, "a change needs the page's token; load the page again")
        return None

    def _entrance(self, token: str) -> Response:
        if not _same(token, self._pass.token):
            return _no(401, "not the token of this studio: each start has its own; see what retarget studio printed")
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._pass.cookie_name, self._pass.cookie, path="/", httponly=True, samesite="strict")
        return answer


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def _no(status: int, line: str) -> Response:
    return PlainTextResponse(line + "\n", status)
