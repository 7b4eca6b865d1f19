"""Coverage-guided fuzzing of the files that are read: what atheris finds new branches with is kept and changed further.

    python benchmarks/fuzzing.py [--minutes 5] [--targets clip domain run ...] [--corpus FOLDER]

Needs atheris (`pip install -e '.[fuzz]'`). Each target starts from files as this program writes them. What is read may
be refused by an error that the command line prints in one line, or left out; anything else is a fault: the input that
causes it is printed, and the exit code is 1. A table says how many inputs each target was given.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

Target = Callable[[Path], tuple[dict[str, bytes], Callable[[bytes], None]]]
"""Given an empty folder: files to begin with, and what reads one; it raises what is no fault, too."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="of all targets together")
    parser.add_argument("--targets", nargs="+", default=list(NAMES), choices=list(NAMES))
    parser.add_argument("--corpus", type=Path, help="folder that keeps what was found, for the next time")
    parser.add_argument("--one", choices=list(NAMES), help=argparse.SUPPRESS)
    options = parser.parse_args()
    seconds = max(1, round(60 * options.minutes / len(options.targets)))
    if options.one:
        fuzz(options.one, options.corpus, seconds)
        return
    print("| file | inputs | branches found | faults |\n|---|---|---|---|")
    faults = 0
    for name in options.targets:
        with tempfile.TemporaryDirectory() as folder:
            corpus = (options.corpus or Path(folder)) / name
            corpus.mkdir(parents=True, exist_ok=True)
            words = [sys.executable, __file__, "--one", name, "--corpus", str(corpus)]
            words += ["--minutes", str(seconds / 60), "--targets", name]
            done = subprocess.run(words, capture_output=True, text=True, cwd=folder)
            tried = re.findall(r"stat::number_of_executed_units:\s*(\d+)", done.stderr) or ["0"]
            found = re.findall(r"cov: (\d+)", done.stderr) or ["0"]
            fault = done.returncode != 0
            faults += fault
            print(f"| {NAMES[name]} | {tried[-1]} | {found[-1]} | {int(fault)} |", flush=True)
            if fault:
                print("\n".join(done.stderr.splitlines()[-40:]), file=sys.stderr)
    sys.exit(bool(faults))


def fuzz(name: str, corpus: Path, seconds: int) -> None:
    """Runs one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["data", "durable", "pipelines.pages.answers", "recycle.runs"]):
        from benchmarks.fuzzing_targets import TARGETS, expected

    seeds, read = TARGETS[name](Path(tempfile.mkdtemp()))
    for seed, content in seeds.items():
        (corpus / seed).write_bytes(content)
    refusals = expected()

    def one(content: bytes) -> None:
        try:
            read(content)
        except refusals as error:
            if "\n" in str(error) or "\x1b" in str(error):
                raise AssertionError(f"more than a line: {error!r}") from error

    limits = [
        f"-max_total_time={seconds}",
        "-max_len=4096",
        "-timeout=20",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *limits, "-artifact_prefix=./", str(corpus)], one)
    atheris.Fuzz()


NAMES = {
    "clip": "frames of a clip (clips/NAME.jsonl)",
    "domain": "domain.json",
    "names": "names.jsonl",
    "identity": "identity.json",
    "run": "a run's config.json",
    "tensors": "header of a checkpoint's tensors",
    "manifest": "a checkpoint's manifest",
    "palette-json": "palette (JSON)",
    "palette-csv": "palette (CSV)",
    "answers": "answers to a study",
    "key": "key of a study",
    "consent": "consent (TOML)",
}


if __name__ == "__main__":
    main()
