"""Carries out commands one after the other in one process, so that what they load is loaded once: `python -m` this.

A line of standard input is a JSON list of words, as they stand behind `retarget`; for each comes a line of standard
output, {"code": exit code, "said": what it said, errors too}. Ends when its input ends, so with whoever started it, and
after SECONDS without a word. What it is to load before the first words is named behind it.
"""

import importlib
import io
import json
import os
import select
import sys
from contextlib import redirect_stderr, redirect_stdout

from pipelines.cli import run

SECONDS = 180.0


def main(modules: list[str]) -> None:
    """Reads, carries out and answers until there is nothing more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    for module in modules:
        importlib.import_module(module)
    with open(0, "rb", buffering=0, closefd=False) as lines:  # a buffer would hide a line from select
        while select.select([lines], [], [], SECONDS)[0]:
            line = lines.readline()
            if not line.endswith(b"\n"):
                return
            print(json.dumps(_carried_out(json.loads(line))), file=answers, flush=True)


def _carried_out(words: list[str]) -> dict[str, object]:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code = run(words)
        except SystemExit as end:  # bad usage, which the command line ends with
            code = end.code if isinstance(end.code, int) else 2
    return {"code": code, "said": said.getvalue()}


if __name__ == "__main__":
    main(sys.argv[1:])
