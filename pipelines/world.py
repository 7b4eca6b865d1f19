"""`retarget world`: clips whose right translation is known, drawn or out of real footage."""

import itertools
import json
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from data.disk import check_name, make_folder, name_from, remove_folder, write_json
from data.domain.sources import Source, open_source
from data.errors import SettingsError
from data.faces.aligners import box_finder
from data.faces.placing import LOOKS, Placing, look, square_pixels
from data.faces.recognise import Looks
from data.world.clips import World, write_pictures
from data.world.drawnover import WORK_PX, DrawnOver
from data.world.looks import MOST_LOOKS, write_labelled, write_looks
from data.world.worlds import WORLDS, poses_from_json
from pipelines.places import say
from pipelines.world_options import WorldOptions

SHARES = (0.45, 0.4, 0.15)
"""Of footage: to learn A from, to learn B from, and to translate."""
GAP_SECONDS = Fraction(1, 2)
LEAST_FRAMES = (20, 20, 10)
USUAL_RATE = Fraction(25)
"""Frames a second where the footage does not say."""
FACE_ROOM = 1.4
"""Side of the square around a followed face, in sides of the square that its boxes fill."""
DRAWN_FRAMES, DRAWN_TEST_FRAMES = 600, 150
LEAST_SIZE_PX = 32


def world(options: WorldOptions) -> None:
    """Writes NAME/*.mp4 and, when all are whole, NAME/world.json, which says which is which. Raises RetargetError."""
    _check(options)
    name = options.name or (options.world or "plain" if options.footage is None else name_from(options.footage.stem))
    folder = options.output / check_name(name, "world")
    source = None if options.footage is None else open_source(options.footage)
    if source is not None and (name in ("test", "truth") or source.path.resolve().parent == folder.resolve()):
        raise SettingsError(f"{folder}: its clips would take the names of others; give another --name")
    wanted = _wanted(options, source)
    if _there(folder, wanted):
        say(f"{folder}: already there")
        return
    make_folder(folder)
    if source is None:
        drawn = WORLDS[wanted["world"]]
        clips = drawn.write(folder, options.seed, wanted["frames"], wanted["test_frames"], options.size)
        found: dict[str, Any] = {}
        _write_more(folder, clips, options, wanted)
    else:
        clips = World.of(folder, name, f"{name}-drawn")
        found = _draw_over(source, clips, options)
    write_json(folder / "world.json", wanted | found | {"clips": {k: v.name for k, v in clips._asdict().items()}})
    say(
        f"{folder}: {clips.a.name} and {clips.b.name} to learn from (retarget extract --align none), {clips.test.name} "
        f"to translate, and its answer {clips.truth.name} (retarget evaluate --input ... --truth ...)"
    )


def _check(options: WorldOptions) -> None:
    """Raises SettingsError."""
    if options.world is not None and options.footage is not None:
        raise SettingsError("--world and --from: one world, drawn or of footage, not two")
    if (options.looks or options.labelled) and (options.footage is not None or options.world == "busy"):
        raise SettingsError("--looks, --labelled: are of the plain world")
    if not 0 <= options.looks <= MOST_LOOKS:
        raise SettingsError(f"--looks {options.looks}: from 0 to {MOST_LOOKS}")
    if options.size < LEAST_SIZE_PX:
        raise SettingsError(f"--size {options.size}: at least {LEAST_SIZE_PX}")
    for name, least in (("frames", LEAST_FRAMES[0]), ("test_frames", LEAST_FRAMES[2])):
        given = getattr(options, name)
        if given is not None and given < least:
            raise SettingsError(f"--{name.replace('_', '-')} {given}: at least {least}")


def _wanted(options: WorldOptions, source: Source | None) -> dict[str, Any]:
    """All that decides what the clips show."""
    if source is not None:
        about = {"world": "footage", "from": source.path.name, "sha256": source.sha256()}
        return about | {name: getattr(options, name) for name in ("seed", "size", "frames", "test_frames")}
    return {
        "world": options.world or "plain",
        "seed": options.seed,
        "size": options.size,
        "frames": options.frames or DRAWN_FRAMES,
        "test_frames": options.test_frames or DRAWN_TEST_FRAMES,
        **({"looks": options.looks} if options.looks else {}),
        **({"labelled": True} if options.labelled else {}),
    }


def _write_more(folder: Path, clips: World, options: WorldOptions, wanted: dict[str, Any]) -> None:
    """Looks and labels of the plain world, as far as they are asked for. Raises OutputError."""
    a, b, test = (poses_from_json(clip.with_suffix(".json").read_text()) for clip in (clips.a, clips.b, clips.test))
    if options.looks:
        write_looks(folder, options.looks, options.seed, wanted["frames"], test, options.size)
    if options.labelled:
        write_labelled(folder / f"{clips.a.stem}-labelled", "A", a, options.size)
        write_labelled(folder / f"{clips.b.stem}-labelled", "B", b, options.size)


def _there(folder: Path, wanted: dict[str, Any]) -> bool:
    """Raises SettingsError where another world is there."""
    path = folder / "world.json"
    if not path.exists():
        return False
    try:
        about = json.loads(path.read_bytes())
        same = all(about[name] == value for name, value in wanted.items())
    except (ValueError, KeyError, TypeError):
        same = False
    if not same:
        raise SettingsError(f"{folder}: holds another world, see {path.name} in it; give another --name or remove it")
    return True


def _draw_over(source: Source, clips: World, options: WorldOptions) -> dict[str, Any]:
    """Three stretches of footage, in order: as it is, drawn over, and as it is with its answer. Says what was cut.

    Raises NotAVideoError, SettingsError, OutputError.
    """
    placing = _followed(source, clips.a.parent, options.models)
    rate = source.info.rate or USUAL_RATE
    longest = (options.frames, options.frames, options.test_frames)
    parts = stretches(placing.frames, rate, longest, source.path)
    left, top, side = square_of(placing, *source.info.display_size)
    drawn_over, size = DrawnOver(options.seed), options.size
    answers: list[np.ndarray] = []

    def pictures(part: int, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        first, last = parts[part]
        for picture in itertools.islice(frames, first - (parts[part - 1][1] if part else 0), None):
            yield _reduced(drawn_over(picture) if part == 1 else picture, size)
            if part == 2:
                answers.append(_reduced(drawn_over(picture), size))
            first += 1
            if first == last:
                return

    bar = tqdm(source.frames(), total=placing.frames, desc="drawing over", unit="frame", disable=None, leave=False)
    whole = (square_pixels(frame.rgb, source.info)[top : top + side, left : left + side] for frame in bar)
    frames = (_reduced(picture, max(size, WORK_PX)) for picture in whole)
    for part, path in enumerate((clips.a, clips.b, clips.test)):
        write_pictures(path, pictures(part, frames), size, rate)
    write_pictures(clips.truth, answers, size, rate)
    return {"square": [left, top, side], "stretches": parts}


def _reduced(picture: np.ndarray, side: int) -> np.ndarray:
    """(side, side, 3); enlarged where it is smaller."""
    if len(picture) == side:
        return picture
    how = cv2.INTER_AREA if len(picture) > side else cv2.INTER_CUBIC
    return cv2.resize(picture, (side, side), interpolation=how)


def stretches(
    frames: int, rate: Fraction, longest: tuple[int | None, int | None, int | None], path: Path
) -> list[tuple[int, int]]:
    """First frame, and the one after the last, of each of three stretches in order, half a second apart.

    longest: frames that each may have; None for all. Raises SettingsError.
    """
    gap = math.ceil(GAP_SECONDS * rate)
    usable = frames - 2 * gap
    lengths = [int(share * usable) for share in SHARES]
    if any(length < least for length, least in zip(lengths, LEAST_FRAMES, strict=True)):
        least = 2 * gap + max(math.ceil(n / share) for n, share in zip(LEAST_FRAMES, SHARES, strict=True))
        raise SettingsError(f"{path}: {frames} frames; a world of it takes at least {least}, give a longer clip")
    found, start = [], 0
    for length, most in zip(lengths, longest, strict=True):
        found.append((start, start + min(length, most or length)))
        start += length + gap
    return found


def _followed(source: Source, folder: Path, models: Path | None) -> Placing:
    spool = make_folder(folder / LOOKS)
    try:
        return look(source, box_finder(models), "largest", spool, Looks())
    finally:
        remove_folder(spool)


def square_of(placing: Placing, width: int, height: int) -> tuple[int, int, int]:
    """Left, top and side, in pixels of the frame: one square for the whole clip, so that what moves in it still does.

    Around nearly all the places where the followed face was; in the middle where there is none.
    """
    boxes = np.array([place.box for place in placing.places or [] if place is not None])
    side, middle = min(width, height), np.array([width / 2, height / 2])
    if len(boxes):
        low, high = np.percentile(boxes[:, :2], 5, axis=0), np.percentile(boxes[:, 2:], 95, axis=0)
        side, middle = min(side, math.ceil(FACE_ROOM * max(high - low))), (low + high) / 2
    corner = np.clip(np.rint(middle - side / 2), 0, [width - side, height - side])
    return int(corner[0]), int(corner[1]), side
