"""The table of commands: `retarget extract | train | render` and those beside them."""

import dataclasses
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import tyro

from data.errors import OutputError, RetargetError, SettingsError
from pipelines.advice import advised, lacks_memory
from pipelines.keeping_options import DomainsOptions, InspectOptions, RemoveOptions, RunsOptions, StudioOptions
from pipelines.options import (
    DoctorOptions,
    EvaluateOptions,
    ExportOptions,
    ExtractOptions,
    ImportOptions,
    RenderOptions,
    ReportOptions,
    StudyOptions,
    TrainOptions,
)
from pipelines.places import printable, say
from pipelines.shards import JOIN
from pipelines.world_options import AdaptOptions, CompareMethodsOptions, DemoOptions, WorldOptions
from recycle.config import PRESETS
from recycle.methods import LEFT_OUT, METHODS

COMMANDS: dict[str, type] = {
    "extract": ExtractOptions,
    "doctor": DoctorOptions,
    "train": TrainOptions,
    "render": RenderOptions,
    "evaluate": EvaluateOptions,
    "inspect": InspectOptions,
    "import": ImportOptions,
    "export": ExportOptions,
    "report": ReportOptions,
    "study": StudyOptions,
    "world": WorldOptions,
    "compare-methods": CompareMethodsOptions,
    "adapt": AdaptOptions,
    "demo": DemoOptions,
    "studio": StudioOptions,
    "runs": RunsOptions,
    "domains": DomainsOptions,
    "remove": RemoveOptions,
}
"""Command -> its options. The command is the function of the same name in the file of the same name."""

SHARED = ("extract", "render")
"""Commands that many machines do together: `retarget join` takes their words."""

RENAMED = {
    "import": "import_weights",
    "inspect": "inspect_file",
    "compare-methods": "compare_methods",
    "studio": "open_studio",
    "runs": "list_runs",
    "domains": "list_domains",
}
"""But for these, whose names Python does not take or that say too little there."""

USAGE = """usage: retarget COMMAND ...   (retarget COMMAND --help for its options)

  extract VIDEO...   frames, one followed and aligned face or the whole frame, a domain on disk
  doctor A B         what two domains share and lack before hours of training, and which frames to drop
  train A B          translators between two domains or more, on whatever hardware is there
  render             the translated clip, merged back into its frames, with its sound
  join COMMAND ...   what shards of an extract or a render have done, put together, or what of it is missing
  evaluate           how good a run is: measures of a translated clip, against the truth where that is known
  inspect FILE       what a rendered file says of itself: synthetic, by which run, from what
  import G_A G_B     a run from weight files that the papers' authors published
  export             the generators of a run for ONNX or the authors' programs, or its domains as strips
  report             a page of a run that opens from disk: players, measures, curves, samples
  study              a page on which people judge runs blindly, and the percentages of their answers
  world              clips whose right translation is known: drawn, or real footage drawn over
  compare-methods    methods against each other on such worlds: a table of methods and measures
  adapt              what a translation is worth to recognition: labels learned on A, tested on B
  demo               extract, train and render on a drawn world where the right answer is known
  studio             all this in a browser, for people who look rather than type
  runs, domains      what is there: state, score, size, age
  remove NAME...     domains, runs or results to the trash, and back
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script: runs a command and exits 0, 1 (failed), 2 (bad input) or 130 (interrupted)."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code. What a user can cause ends in one line on stderr."""
    command, *rest = arguments or ["--help"]
    if command in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if command == "--version":
        print(f"retarget {version('retarget')}")
        return 0
    joining = command == JOIN
    if joining:
        command, *rest = rest or [""]
        if command not in SHARED:
            print(
                f"retarget join: say what: join {' or join '.join(SHARED)}, and that command's words", file=sys.stderr
            )
            return 2
    if command not in COMMANDS:
        print(f"retarget: {command!r} is not a command; there are {', '.join([*COMMANDS, JOIN])}", file=sys.stderr)
        return 2
    for line in LEFT_OUT:
        print(f"retarget: {line}", file=sys.stderr)
    try:
        options = _options(command, rest)
        return _started(command, _joining(options) if joining else options)
    except RetargetError as error:
        print(f"retarget {command}: {printable(advised(error))}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        said = f"{error.filename or 'the system'}: {error.strerror or error}"
        print(f"retarget {command}: {printable(said)}", file=sys.stderr)
        return OutputError.exit_code
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        ways = "smaller pictures, a shorter clip, or (render, evaluate) a smaller --batch-size or --scale"
        print(f"retarget {command}: out of memory; free some, or give {ways}", file=sys.stderr)
        return OutputError.exit_code
    except KeyboardInterrupt:
        print(f"\nretarget {command}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _options(command: str, arguments: list[str]) -> Any:
    """What a command line says. Ends the program where that is help, or nothing that can be read."""
    return tyro.cli(
        COMMANDS[command],
        prog=f"retarget {command}",
        args=arguments,
        default=_default(command, arguments),
        config=(tyro.conf.OmitArgPrefixes,),
    )


def _joining(options: Any) -> Any:
    """Options of a command that is to do nothing but put together. Raises SettingsError."""
    if options.shard is not None:
        raise SettingsError(f"--shard {options.shard}: join does no part of the work; leave it away")
    return dataclasses.replace(options, shard=JOIN)


def _started(command: str, options: Any) -> int:
    name = RENAMED.get(command, command)
    stage = importlib.import_module(f"pipelines.{name}")
    from data.timings import timed  # which --help does not need

    with timed() as timings:
        code = getattr(stage, name)(options) or 0
    if getattr(options, "timing", False):
        for line in timings.lines():
            say(line)
    return code


def _default(command: str, arguments: list[str]) -> Any:
    """What options stand at before the user's are put in. `--method` and `--preset` stand for many of them."""
    if command != "train":
        return None
    plain = TrainOptions()
    asked_method, asked_preset = _given(arguments, "--method"), _given(arguments, "--preset")
    # What is not known is refused by the parser.
    method = next((name for name in METHODS if name == asked_method), plain.method)
    preset = next((name for name in PRESETS if name == asked_preset), plain.preset)
    config, training = METHODS[method].defaults(preset)
    if _given(arguments, "--minutes") is not None and _given(arguments, "--steps") is None:
        training = dataclasses.replace(training, steps=None)
    return dataclasses.replace(plain, method=method, preset=preset, config=config, training=training)


def _given(arguments: list[str], flag: str) -> str | None:
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if word == flag:
            return following
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


if __name__ == "__main__":
    main()
