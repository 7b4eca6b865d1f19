"""`retarget export --to onnx | torch | strips`: generators of a run, or its domains, as other programs read them."""

from pathlib import Path

from torch import nn

from data.disk import make_folder, write_bytes
from data.domain.published import write_published
from data.errors import MissingExtraError, MissingInputError, SettingsError
from pipelines.options import ExportOptions
from pipelines.places import find_domain, newest_run, say
from recycle.config import MethodConfig, NetworkConfig, from_json
from recycle.runs.checkpoint import CheckpointError
from recycle.runs.onnx_export import OPSET, ExportError, export_onnx
from recycle.runs.published import OFFERED, WeightFileError, describe, is_offered, to_published
from recycle.runs.runfolder import load_for_rendering, read_settings

AUTHORS_NAMES = {"generator_ab": "G_A", "generator_ba": "G_B"}


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
    a, b = (Path(settings[domain]).name for domain in "ab")
    ways = {"generator_ab": (a, b), "generator_ba": (b, a)}
    weights = f"{options.weights} weights of the {checkpoint} checkpoint, step {step}"
    say(f"run {run} ({settings['method']}, {weights}): {describe(networks)}")
    folder = options.output or Path("exports") / run.resolve().name
    finished = []
    for name, generator in method.generators.items():
        try:
            if options.to == "onnx":
                path, content, note = _onnx(AUTHORS_NAMES[name], generator, networks, ways[name])
            else:
                path, content, note = _torch(AUTHORS_NAMES[name], generator, networks)
        except (ExportError, WeightFileError) as error:
            raise SettingsError(f"{run}: {error}; nothing was written") from error
        finished.append((folder / path, content, f"{' to '.join(ways[name])}, {note}"))
    make_folder(folder)
    for file, content, note in finished:
        write_bytes(file, content)
        say(f"{file}: {note}")
    if options.to == "torch" and len(finished) == 1:
        say("the authors' pix2pix looks for this file under the name latest_net_G.pth")


def _strips(run: Path, options: ExportOptions) -> None:
    """Writes the domains of a run as the authors of Recycle-GAN lay theirs out. Raises RetargetError."""
    try:
        settings = read_settings(run)["settings"]
    except CheckpointError as error:
        raise MissingInputError(str(error)) from error
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
