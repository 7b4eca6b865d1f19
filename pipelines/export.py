"""`retarget export --to onnx | torch | strips`: generators of a run, or its domains, as other programs read them."""

from pathlib import Path
from typing import Any

from torch import nn

from data.disk import make_folder, write_bytes
from data.domain.published import write_published
from data.errors import MissingExtraError, MissingInputError, SettingsError
from pipelines.options import ExportOptions
from pipelines.places import find_domain, newest_run, say
from pipelines.translating.telling import kind_told, tell, way_of
from recycle.config import MethodConfig, NetworkConfig, from_json
from recycle.methods.base import Direction, Method, inference
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.onnx_export import OPSET, ExportError, export_onnx
from recycle.runs.published import OFFERED, WeightFileError, describe, is_offered, to_published
from recycle.runs.runfolder import letters, load_for_rendering, read_settings

AUTHORS_NAMES = {"a_to_b": "G_A", "b_to_a": "G_B"}


def export(options: ExportOptions) -> None:
    """Writes one file a generator; none where any of them cannot be made. Raises RetargetError."""
    run = options.run or newest_run(options.runs)
    if options.to == "strips":
        _strips(run, options)
        return
    try:
        settings, method, step, checkpoint = load_for_rendering(run, options.weights, options.checkpoint, on_note=say)
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    networks = from_json(MethodConfig, settings["config"]).networks
    weights = f"{options.weights} weights of the {checkpoint} checkpoint, step {step}"
    say(f"run {run} ({settings['method']}, {weights}): {describe(networks)}")
    tell(method, settings, options)
    folder = options.output or Path("exports") / run.resolve().name
    try:
        finished = [_finished(way, method, settings, options) for way in _ways(method, settings, options)]
    except (ExportError, WeightFileError) as error:
        raise SettingsError(f"{run}: {error}; nothing was written") from error
    make_folder(folder)
    for file, content, note in finished:
        write_bytes(folder / file, content)
        say(f"{folder / file}: {note}")
    if options.to == "torch" and len(finished) == 1:
        say("the authors' pix2pix looks for this file under the name latest_net_G.pth")


def _ways(method: Method, settings: dict[str, Any], options: ExportOptions) -> list[Direction]:
    """Those that are asked for, or all. Raises SettingsError."""
    return [way_of(settings, method, options)] if options.into or options.out_of else method.ways


def _finished(
    way: Direction, method: Method, settings: dict[str, Any], options: ExportOptions
) -> tuple[str, bytes, str]:
    """Name and content of a direction's file, and what there is to say about it.

    Raises ExportError, WeightFileError, MissingExtraError.
    """
    networks = from_json(MethodConfig, settings["config"]).networks
    ends = Path(settings[way[0]]).name, Path(settings[way[-1]]).name
    name = AUTHORS_NAMES[way] if len(letters(settings)) == 2 else f"{ends[0]}-to-{ends[1]}"
    with inference(method):
        generator = method.translator(way).eval()
    if options.to == "onnx":
        told = "".join(f"-{kind}" for kind in kind_told(options) if kind)
        path, content, note = _onnx(name + told, generator, networks, ends)
    elif any(generator is one for one in method.generators.values()):
        path, content, note = _torch(name, generator, networks)
    else:
        raise WeightFileError(f"the authors' programs have no generator of {settings['method']}")
    return path, content, f"{' to '.join(ends)}, {note}"


def _strips(run: Path, options: ExportOptions) -> None:
    """Writes the domains of a run as the authors of Recycle-GAN lay theirs out. Raises RetargetError."""
    try:
        settings = read_settings(run)["settings"]
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
    if len(letters(settings)) > 2:
        raise SettingsError(f"--to strips: are of two domains, and {run} has {len(letters(settings))}")
    a, b = (find_domain(settings[domain], options.domains) for domain in "ab")
    folder = options.output or Path("exports") / f"{run.resolve().name}-strips"
    make_folder(folder.parent)
    for name, count in write_published(a, b, folder).items():
        say(f"{folder / name}: {count} pictures")


def _torch(name: str, generator: nn.Module, networks: NetworkConfig) -> tuple[str, bytes, str]:
    """Name and content of a file, and what there is to say about it. Raises WeightFileError."""
    content = to_published(networks, generator.state_dict())
    note = "for the authors' programs under PyTorch 1.6 or newer"
    if not is_offered(networks):
        note += f"; their --netG offers only {', '.join(OFFERED)}"
    return f"latest_net_{name}.pth", content, note


def _onnx(name: str, generator: nn.Module, networks: NetworkConfig, way: tuple[str, str]) -> tuple[str, bytes, str]:
    """Name and content of a file, and what there is to say about it. Raises MissingExtraError, ExportError."""
    metadata = {"from": way[0], "to": way[1], "generator": describe(networks), "colours": "RGB", "values": "[-1, 1]"}
    try:
        made = export_onnx(generator, networks, metadata)
    except ImportError as error:
        raise MissingExtraError(
            f"--to onnx: needs {error.name or 'onnx'}, which is not there; pip install -e '.[onnx]'"
        ) from error
    batches = " and ".join("x".join(map(str, shape)) for shape in made.checked)
    return (
        f"{name}.onnx",
        made.content,
        f"height and width any multiples of {made.multiple} from {made.smallest} up, opset {OPSET}; "
        f"at most {made.difference:.1e} from PyTorch at {batches}",
    )
