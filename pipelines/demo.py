"""`retarget demo`: the three commands on a drawn world where the right answer is known for every frame.

`--quick` does without the first two: a run that benchmarks/quick_weights.py made lies beside this file.
"""

import shutil
from pathlib import Path

import numpy as np

from data.disk import make_folder, remove_folder
from data.domain.pictures import captioned, resize, sheet, write_sheet
from data.errors import SettingsError
from data.video.reader import read_frames
from data.world.worlds import WORLDS
from data.writing.assemble import gif_preview, side_by_side
from pipelines.places import say
from pipelines.subcommands import run_shown
from pipelines.world_options import DemoOptions
from recycle.measures.metrics import psnr

QUICK_RUN = Path(__file__).parent / "quick"
"""A run of both generators in half precision, trained on the plain world of another seed than a demo's."""
QUICK_PX, QUICK_FRAMES = 64, 50
"""Side that it was trained at; frames of its clip."""
SHEET_MOMENTS = 8
SHEET_CELL_PX = 160


def demo(options: DemoOptions) -> None:
    """Draws two unpaired clips and a test clip, extracts, trains, renders, evaluates, and compares with the truth.

    Leaves in `options.folder`: demo.mp4 (source, translated, truth side by side), demo.gif, sheet.png, run/report.html.
    Raises RetargetError.
    """
    if options.frames < 20 or options.test_frames < 3:
        raise SettingsError("--frames has to be at least 20, --test-frames at least 3")
    if options.quick:
        _quick(options)
        return
    folder = make_folder(options.folder)
    anna, ben, test, truth = WORLDS["plain"].write(
        folder / "clips", options.seed, options.frames, options.test_frames, options.size
    )
    say(f"drawn: {anna} and {ben} to learn from, {test} to translate, {truth} to compare with")

    domains, run, result = folder / "domains", folder / "run", folder / "translated.mp4"
    for clip in (anna, ben):
        run_shown("extract", clip, "--align", "none", "--size", options.size, "--domains", domains)
    run_shown(
        *("train", "anna", "ben", "--domains", domains, "--run", run, "--preset", "tiny"),
        *("--method", options.method, "--size", options.size, "--minutes", options.minutes),
        *("--no-crop-jitter", "--save-every", 200, "--seed", options.seed, "--devices", 1),
    )
    run_shown("render", "--run", run, "--domains", domains, "--input", test, "--output", result)
    run_shown("evaluate", "--run", run, "--domains", domains, "--input", test, "--truth", truth)
    run_shown("report", "--run", run, "--domains", domains)

    _compare(ben, test, result, truth, folder)
    say(f"Open {run / 'report.html'} in a browser: what was trained on what, the players in lockstep, every measure")


def _quick(options: DemoOptions) -> None:
    """The drawn clip through the run that is here already, beside the truth. Raises RetargetError."""
    plain = DemoOptions()
    for name in ("minutes", "frames", "test_frames", "size", "method"):
        if (given := getattr(options, name)) != getattr(plain, name):
            flag = f"--{name.replace('_', '-')} {given}"
            raise SettingsError(f"{flag}: with --quick all is trained and decided already; leave one of them away")
    folder = make_folder(options.folder / "quick")
    # Nobody learns from the other two clips: a frame is enough.
    _, _, test, truth = WORLDS["plain"].write(folder / "clips", options.seed, 1, QUICK_FRAMES, QUICK_PX)
    say(f"drawn: {test} to translate, {truth} to compare with")
    truth.with_suffix(".json").unlink()  # reading poses back from every frame is what takes minutes
    run = folder / "run"
    remove_folder(run)
    shutil.copytree(QUICK_RUN, run)
    domains = folder / "domains"
    run_shown("evaluate", "--run", run, "--domains", domains, "--input", test, "--truth", truth)
    run_shown("report", "--run", run, "--domains", domains)
    _compare(truth, test, run / "evaluation" / "result.mp4", truth, folder)
    say("The whole way on this machine, in ten minutes: retarget demo")
    say(f"Open {run / 'report.html'} in a browser: source, translation and truth in lockstep, every measure")


def _compare(training: Path, test: Path, result: Path, truth: Path, folder: Path) -> None:
    """Says how close the result is to the truth, and leaves pictures of it."""
    source, translated, right = (np.stack([f.rgb for f in read_frames(path)]) for path in (test, result, truth))
    constant = np.mean([frame.rgb for frame in read_frames(training)], axis=0).round().astype(np.uint8)
    ours, best_constant = psnr(translated, right), psnr(np.broadcast_to(constant, right.shape), right)
    copy = psnr(source, right)

    moments = [round(moment) for moment in np.linspace(0, len(right) - 1, SHEET_MOMENTS)]
    named = {"source": source, "translated": translated, "truth": right}
    cell = (SHEET_CELL_PX, SHEET_CELL_PX)
    rows = [[captioned(resize(video[m], cell), f"{name} {m}") for m in moments] for name, video in named.items()]
    write_sheet(folder / "sheet.png", sheet(rows))
    side_by_side([test, result, truth], folder / "demo.mp4", height=SHEET_CELL_PX)
    gif_preview(folder / "demo.mp4", folder / "demo.gif", height=SHEET_CELL_PX)

    say(
        f"\nPSNR of {result} against the truth: {ours:.2f} dB, {ours - best_constant:+.2f} dB over "
        f"the best constant picture ({best_constant:.2f} dB); the source unchanged has {copy:.2f} dB"
    )
    say(f"Look at {folder / 'sheet.png'} and {folder / 'demo.mp4'} (source, translated, truth)")
