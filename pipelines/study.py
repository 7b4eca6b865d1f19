"""`retarget study`: people judge runs blindly, on a page that opens from disk.

With `--real` the "real vs fake" protocol of CycleGAN's perceptual studies (Zhu et al. 2017, section 5.1.1, after Isola
et al. 2017): a real and a translated clip appear side by side for a moment, the person says which is real, and the
share of translated clips that are taken for real is counted; practice pairs with feedback come first. Other than
theirs: short clips in the place of pictures, and several runs share a session. Without `--real` two runs translate the
same moment, shown with it, and the person says which is better.

The page holds no word of what is what: runs are not named, cuts are encoded alike and equally large, sides and order
are drawn from what the page does not show. The key stays on disk beside it. Who takes the page apart can still look at
each clip for as long as they like.
"""

import hashlib
import json
import shlex
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np

from data.disk import write_bytes
from data.errors import MissingInputError, SettingsError
from data.writing.encode import FALLBACK_RATE
from pipelines.options import StudyOptions
from pipelines.pages.answers import REAL, Key, Kind, key_path, read_answers, read_key, shares, write_key
from pipelines.pages.cuts import SMALLEST_BOX, Stretch, choose_moments, common_form, cut, of_domain, of_video, padded
from pipelines.pages.pages import data_uri, page
from pipelines.pages.runfiles import Evaluation, read_evaluation, read_run
from pipelines.places import find_domain, say

PRACTICE = 4
"""One practice pair for so many that count: 10 and 40 in the study of Zhu et al."""

FASTEST_RATE = 60


@dataclass(frozen=True)
class _Pair:
    """Two cuts of one trial, by name: a run's folder, or "real". source: what both translate, where it is shown."""

    left: str
    right: str
    cuts: dict[str, bytes]
    source: bytes | None = None

    @property
    def clips(self) -> dict[str, bytes]:
        """By the place on the page."""
        clips = {"left": self.cuts[self.left], "right": self.cuts[self.right]}
        return clips | ({"source": self.source} if self.source else {})


def study(options: StudyOptions) -> None:
    """Makes a page and its key, or scores answers. Raises RetargetError."""
    if options.score:
        _score(options)
    else:
        _make(options)


def _score(options: StudyOptions) -> None:
    if options.runs:
        raise SettingsError("--score counts answers, --runs makes a page; give one of them")
    key = read_key(key_path(options.output))
    answers = read_answers(options.score, key)
    people = f"{len(options.score)} {'person' if len(options.score) == 1 else 'people'}"
    protocol = "real against translated" if key.kind == "real" else "run against run"
    say(f"{protocol}: {people}, {len(answers)} answers")
    for share in shares(key, answers):
        say(str(share))
    say("50 % is what chance gives" + (": nobody could tell" if key.kind == "real" else ""))


def _make(options: StudyOptions) -> None:
    _check(options)
    evaluations = {str(run): _evaluation(run) for run in options.runs}
    generator = _generator(options.seed, evaluations)
    practice: list[_Pair] = []
    if options.real:
        practice = _real_pairs(evaluations, -(-options.pairs // PRACTICE), generator, options.domains)
        pairs = _real_pairs(evaluations, options.pairs, generator, options.domains)
    else:
        pairs = _method_pairs(evaluations, options.pairs, generator)
    kind: Kind = "real" if options.real else "methods"
    key = Key(kind, [(pair.left, pair.right) for pair in pairs], salt=generator.bytes(16).hex())
    shown = _shown([*practice, *pairs], generator)
    # Practice is told at once, so its answers stand in the page; those that count do not.
    for trial, pair in zip(shown, practice, strict=False):
        trial["answer"] = "left" if pair.left == REAL else "right"
    data = {"study": key.study, "kind": kind, "practice": shown[: len(practice)], "pairs": shown[len(practice) :]}
    title = "Which one is real?" if options.real else "Which one is better?"
    content = page("study", title, data, style=("study.css",), script=("study.js",)).encode()
    _keep_other_keys(key_path(options.output), key)
    write_key(key_path(options.output), key)
    write_bytes(options.output, content)
    trials = f"{options.pairs} pairs" + (f" after {len(practice)} for practice" if practice else "")
    say(f"{options.output}: {trials}, {len(content) / 1e6:.1f} MB; send it to people, who send back what it saves")
    say(f"{key_path(options.output)}: the key; keep it. Then: {_score_command(options)}")


def _score_command(options: StudyOptions) -> str:
    where = "" if options.output == StudyOptions.output else f" --output {shlex.quote(str(options.output))}"
    return f"retarget study --score ANSWERS.json ...{where}"


def _shown(pairs: list[_Pair], generator: np.random.Generator) -> list[dict[str, str]]:
    """What the page is given: place -> clip, all of the same size."""
    length = max(len(clip) for pair in pairs for clip in pair.clips.values()) + SMALLEST_BOX
    return [
        {place: data_uri(padded(clip, length, generator), "video/mp4") for place, clip in pair.clips.items()}
        for pair in pairs
    ]


def _check(options: StudyOptions) -> None:
    """Raises SettingsError."""
    runs = options.runs
    if not runs:
        raise SettingsError("--runs: which are to be judged? Or --score ANSWERS.json to count answers")
    if len(set(runs)) < len(runs):
        raise SettingsError("--runs: one is named twice; name each once")
    if not options.real and len(runs) < 2:
        raise SettingsError("--runs: one run has nothing to be compared with; name another, or add --real")
    least = len(runs) if options.real else len(runs) * (len(runs) - 1) // 2
    if options.pairs < least:
        raise SettingsError(f"--pairs {options.pairs}: too few for {len(runs)} runs; at least {least}")
    if options.seed < 0:
        raise SettingsError(f"--seed {options.seed}: negative; give 0 or more")


def _keep_other_keys(path: Path, key: Key) -> None:
    """Answers to a study whose key is gone can never be scored. Raises SettingsError."""
    if path.exists() and read_key(path) != key:
        raise SettingsError(f"{path}: the key of another study; give another --output, or delete that study")


def _evaluation(run: Path) -> Evaluation:
    """Raises MissingInputError, SettingsError."""
    evaluation = read_evaluation(run)
    if evaluation is None or not {"source", "result"} <= evaluation.videos.keys():
        raise MissingInputError(f"{run}: no evaluation whose clips could be shown; run: retarget evaluate --run {run}")
    return evaluation


def _generator(seed: int, evaluations: dict[str, Evaluation]) -> np.random.Generator:
    """The same for the same runs; nobody can draw the sides anew who has the page alone, but not what was measured."""
    measured = json.dumps([evaluation.content for evaluation in evaluations.values()])
    return np.random.default_rng([seed, int.from_bytes(hashlib.sha256(measured.encode()).digest())])


def _sides(count: int, generator: np.random.Generator) -> list[bool]:
    """Whether to swap, for half of the pairs."""
    return generator.permutation(np.arange(count) % 2 == 0).tolist()


def _real_pairs(
    evaluations: dict[str, Evaluation], count: int, generator: np.random.Generator, domains: Path
) -> list[_Pair]:
    """A translated cut beside a real one: of the truth at the same moment where it is known, else of the domain."""
    results = {run: [of_video(evaluation.videos["result"])] for run, evaluation in evaluations.items()}
    real = {run: _real_clip(evaluation, Path(run), domains) for run, evaluation in evaluations.items()}
    form = common_form([*results.values(), *real.values()], _rate(evaluations))
    pairs: list[_Pair] = []
    for number, (run, evaluation) in enumerate(evaluations.items()):
        share = len(range(number, count, len(evaluations)))
        moments = choose_moments(results[run], share, form, generator)
        same = "truth" in evaluation.videos
        real_moments = moments if same else choose_moments(real[run], share, form, generator)
        cuts = zip(cut(results[run], moments, form), cut(real[run], real_moments, form), strict=True)
        pairs += [
            _Pair(*((REAL, run) if swap else (run, REAL)), {run: fake, REAL: truth})
            for (fake, truth), swap in zip(cuts, _sides(share, generator), strict=True)
        ]
    return [pairs[place] for place in generator.permutation(count)]


def _real_clip(evaluation: Evaluation, run: Path, domains: Path) -> list[Stretch]:
    """Raises MissingInputError, SettingsError."""
    if "truth" in evaluation.videos:
        return [of_video(evaluation.videos["truth"])]
    target = evaluation.content["direction"][-1]
    return of_domain(find_domain(read_run(run).settings[target], domains))


def _rate(evaluations: dict[str, Evaluation]) -> Fraction:
    """Frames a second of all cuts: those of the first run's clip, where they are known and a screen can show them."""
    rate = Fraction(next(iter(evaluations.values())).content["rate"])
    return rate if 1 <= rate <= FASTEST_RATE else FALLBACK_RATE


def _method_pairs(evaluations: dict[str, Evaluation], count: int, generator: np.random.Generator) -> list[_Pair]:
    """Cuts of two runs at the same moment, with the source's."""
    results = {run: [of_video(evaluation.videos["result"])] for run, evaluation in evaluations.items()}
    first, *others = evaluations
    for other in others:
        same_clip = evaluations[first].content["input"] == evaluations[other].content["input"]
        if not same_clip or results[first][0].times != results[other][0].times:
            same = "measure both on one: retarget evaluate --input CLIP"
            raise SettingsError(f"{first} and {other} were measured on different clips; {same}")
    source = [of_video(evaluations[first].videos["source"])]
    form = common_form([source, *results.values()], _rate(evaluations))
    pairs: list[_Pair] = []
    contests = list(combinations(evaluations, 2))
    for number, (one, two) in enumerate(contests):
        share = len(range(number, count, len(contests)))
        moments = choose_moments(source, share, form, generator)
        cuts = zip(*(cut(clip, moments, form) for clip in (results[one], results[two], source)), strict=True)
        pairs += [
            _Pair(*((two, one) if swap else (one, two)), {one: left, two: right}, shown)
            for (left, right, shown), swap in zip(cuts, _sides(share, generator), strict=True)
        ]
    return [pairs[place] for place in generator.permutation(count)]
