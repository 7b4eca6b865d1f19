"""A generator as an ONNX file for any number of pictures of any size, checked against PyTorch before anybody gets it.

onnx, onnxscript and onnxruntime are an extra of the package: imported only where a file is made.
"""

import copy
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from recycle.config import NetworkConfig, residual_blocks
from recycle.networks.networks import smallest_side

OPSET = 18  # the oldest that PyTorch writes by itself: ONNX Runtime knows it since 1.14
TOLERANCE = 1e-4  # of values in [-1, 1]; float32 in another order of arithmetic stays well below
LARGEST_BYTES = 1 << 31  # what one ONNX file can hold
CHECKED = ((2, 128, 128), (1, 132, 260))  # pictures, least height and width


class ExportError(ValueError):
    """A file would not compute what the generator computes. One line."""


@dataclass(frozen=True)
class Exported:
    """A finished file."""

    content: bytes
    smallest: int
    """Least height and width in pixels ..."""
    multiple: int
    """... and what both have to be multiples of."""
    checked: tuple[tuple[int, int, int], ...]
    """Batches that were compared: pictures, height, width."""
    difference: float
    """Largest difference from PyTorch found, of values in [-1, 1]."""


def export_onnx(generator: nn.Module, networks: NetworkConfig, metadata: Mapping[str, str]) -> Exported:
    """The generator as float32 (batch, 3, height, width) `picture` to `translated` of that shape.

    generator: of a method of these `networks`, in evaluation mode, float32, on the CPU; left as it is. Height and width
    may be any multiples of 4 from 8 up for a ResNet; for a U-Net multiples of what it halves down to one pixel, because
    ONNX fixes how much a transposed convolution grows. metadata: kept in the file. Raises ExportError, and ImportError
    where a package is missing.
    """
    import onnx
    import onnxruntime  # noqa: F401 (missing packages are found before any work)
    import onnxscript  # noqa: F401

    if sum(value.nbytes for value in generator.state_dict().values()) >= LARGEST_BYTES:
        raise ExportError("has more weights than the 2 GiB that an ONNX file can hold")
    smallest = smallest_side(networks)
    multiple = 4 if residual_blocks(networks.generator) is not None else smallest
    plain = _plain(generator)
    model = _converted(plain, smallest, multiple)
    _strip(model.graph)
    for value in (*model.graph.input, *model.graph.output):
        for place, name in ((2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[place].dim_param = name
    model.producer_name, model.producer_version = "retarget", ""
    model.doc_string = (
        f"Translates RGB pictures with values in [-1, 1]: float32 (batch, 3, height, width) to the same; height and "
        f"width multiples of {multiple} from {smallest} up."
    )
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    content = model.SerializeToString(deterministic=True)
    checked = tuple((n, _up(height, multiple), _up(width, multiple)) for n, height, width in CHECKED)
    differences = _differences(content, generator, checked)
    if not (differences <= TOLERANCE).all():  # also where one is NaN
        raise ExportError(
            f"ONNX Runtime gives values up to {differences.max():.1e} off PyTorch's, more than {TOLERANCE:g}"
        )
    return Exported(content, smallest, multiple, checked, differences.max().item())


def _up(side: int, multiple: int) -> int:
    return ceil(side / multiple) * multiple


def _plain(generator: nn.Module) -> nn.Module:
    """The same generator with weights as they are used: spectral norm is divided out once and for all."""
    plain = copy.deepcopy(generator)
    for parent in list(plain.modules()):
        for name, child in list(parent.named_children()):
            if is_parametrized(child, "weight"):
                setattr(parent, name, _bare(child))
    return plain.eval()


def _bare(layer: nn.Module) -> nn.Module:
    """A layer with its weight as it is used, of the class that it had before.

    PyTorch's `remove_parametrizations` would change the class that the original, which was copied, still has.
    """
    kind = type(layer).__mro__[1]
    bare = cast(nn.Module, object.__new__(kind))
    bare.__dict__ = dict(layer.__dict__) | {"_modules": {}, "_parameters": dict(layer._parameters)}
    bare.register_parameter("weight", nn.Parameter(layer.weight.detach().clone()))  # type: ignore[operator, union-attr]
    return bare


def _converted(generator: nn.Module, smallest: int, multiple: int) -> Any:
    """The generator as an onnx.ModelProto."""
    # Sides as so many multiples, so that nothing in the file depends on a remainder.
    height, width = (multiple * torch.export.Dim(name, min=smallest // multiple) for name in ("height", "width"))
    example = torch.zeros(2, 3, 3 * max(smallest, 8), 4 * max(smallest, 8))  # no two sizes alike, none of them 1
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of PyTorch to itself
        program = torch.onnx.export(
            generator,
            (example,),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch", min=1), 2: height, 3: width},),
            input_names=["picture"],
            output_names=["translated"],
            opset_version=OPSET,
            verbose=False,
        )
    assert program is not None
    return program.model_proto


def _strip(graph: Any) -> None:
    """Takes out what PyTorch notes for itself: source lines, with the paths of this machine, and names of modules."""
    graph.ClearField("value_info")
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")


def _differences(content: bytes, generator: nn.Module, shapes: Iterable[tuple[int, int, int]]) -> Tensor:
    """Largest difference of ONNX Runtime's result from PyTorch's for drawn pictures of each shape."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    largest = []
    for number, (batch, height, width) in enumerate(shapes):
        draws = torch.Generator().manual_seed(number)
        pictures = torch.rand(batch, 3, height, width, generator=draws) * 2 - 1
        (found,) = session.run(None, {"picture": pictures.numpy()})
        with torch.no_grad():
            largest.append((torch.from_numpy(found) - generator(pictures)).abs().max())
    return torch.stack(largest)
