"""Server-sent events: what changed, to every page that is open. One look a second for all of them; none for nobody."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool

LOOK_SECONDS = 1.0
_HEARTBEAT_LOOKS = 15
MOST_LISTENERS = 50


class Events:
    """look: gives name -> a value that changes when there is something new."""

    def __init__(self, look: Callable[[], dict[str, Any]]) -> None:
        self._look = look
        self._listeners: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None

    async def stream(self) -> AsyncIterator[str]:
        """Lines for one page, until it goes away. The first says that it is connected."""
        if len(self._listeners) >= MOST_LISTENERS:
            return
        queue: asyncio.Queue[str] = asyncio.Queue(100)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            yield "retry: 2000\n\nevent: connected\ndata: {}\n\n"
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def _watch(self) -> None:
        known = await run_in_threadpool(self._look)
        looks = 0
        while self._listeners:
            await asyncio.sleep(LOOK_SECONDS)
            now = await run_in_threadpool(self._look)
            changed = sorted(name for name in known | now if known.get(name) != now.get(name))
            known, looks = now, looks + 1
            if changed:
                self._tell(f"data: {json.dumps(changed)}\n\n")
            elif looks % _HEARTBEAT_LOOKS == 0:
                self._tell(": still here\n\n")

    def _tell(self, text: str) -> None:
        for queue in list(self._listeners):
            if queue.full():
                self._listeners.discard(queue)  # nobody reads it
            else:
                queue.put_nowait(text)
