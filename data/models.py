"""Model files: known by name, pinned by sha256, found in a folder or fetched once."""

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from data.errors import MissingModelError
from durable.files import put_in_place

TIMEOUT_SECONDS = 10.0  # offline machines are ordinary: do not keep them waiting
LARGEST_BYTES = 1 << 28  # no known model comes near; a server that never stops must not fill the disk


@dataclass(frozen=True)
class Model:
    """A file that is not part of the program. `urls` are tried in order; what they give must have this `sha256`."""

    name: str
    file_name: str
    urls: tuple[str, ...]
    sha256: str
    licence: str


MODELS = {
    "yunet": Model(
        name="yunet",
        file_name="yunet_n_640_640.onnx",
        # The file as of commit 0047ac24; the branch is the second try, the digest guards both.
        urls=(
            "https://github.com/ShiqiYu/libfacedetection.train/raw/0047ac24/onnx/yunet_n_640_640.onnx",
            "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/master/onnx/yunet_n_640_640.onnx",
        ),
        sha256="25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31",
        licence="Apache-2.0",
    ),
    "fan": Model(
        name="fan",
        file_name="2DFAN4-11f355bf06.pth.tar",
        urls=("https://www.adrianbulat.com/downloads/python-fan/2DFAN4-11f355bf06.pth.tar",),
        sha256="11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
        licence="BSD-3-Clause",
    ),
    "sface": Model(
        name="sface",
        file_name="face_recognition_sface_2021dec.onnx",
        urls=(
            "https://github.com/opencv/opencv_zoo/raw/main/models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
        ),
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        licence="Apache-2.0",
    ),
}


def find_model(name: str, models_folder: Path | None, table: dict[str, Model] = MODELS) -> Path:
    """Path of a whole, verified model file.

    Looked for in `models_folder`, then $RETARGET_MODELS, then retarget's cache, then where torch.hub keeps files
    (face-alignment's own place). If it is nowhere it is fetched into the first of these that can be written.
    Raises MissingModelError: a file with another sha256, or nowhere and not to be fetched.
    """
    model = table[name]
    folders = _folders(models_folder)
    path = on_disk(name, models_folder, table)
    if path is not None:
        return _verified(model, path)
    problem = ""
    for url in model.urls:
        try:
            return _fetch(model, url, folders)
        except (OSError, ValueError) as error:  # URLError and socket timeouts are OSErrors
            problem = _one_line(error)
    raise MissingModelError(
        f"model {model.name}: no {model.file_name} in {folders[0]} and fetching it failed ({problem}); "
        f"get {model.urls[0]} (sha256 {model.sha256}) and put it into {folders[0]}"
    )


def on_disk(name: str, models_folder: Path | None, table: dict[str, Model] = MODELS) -> Path | None:
    """Where a model's file lies, verified or not; None where `find_model` would have to fetch it."""
    places = [folder / table[name].file_name for folder in (*_folders(models_folder), _torch_checkpoints())]
    return next((path for path in places if path.is_file()), None)


def cache_home() -> Path:
    """Folder for what programs keep of a user and can make or fetch again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser()


def _torch_checkpoints() -> Path:
    home = os.environ.get("TORCH_HOME")
    return (Path(home).expanduser() if home else cache_home() / "torch") / "hub" / "checkpoints"


def _folders(models_folder: Path | None) -> list[Path]:
    folders = [Path(models_folder).expanduser()] if models_folder is not None else []
    if os.environ.get("RETARGET_MODELS"):
        folders.append(Path(os.environ["RETARGET_MODELS"]).expanduser())
    return [*folders, cache_home() / "retarget" / "models"]


def _verified(model: Model, path: Path) -> Path:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingModelError(f"model {model.name}: {path} cannot be read ({_one_line(error)})") from error
    if found != model.sha256:
        raise MissingModelError(
            f"model {model.name}: {path} is not the known file (sha256 {found}, wanted {model.sha256}); "
            f"delete it, or replace it by {model.urls[0]}"
        )
    return path


def _writable(folders: list[Path]) -> Path:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise PermissionError(f"cannot write into {folders[-1]}")


def _fetch(model: Model, url: str, folders: list[Path]) -> Path:
    """Download to a temporary name beside the place, verify, rename. Raises OSError or ValueError."""
    folder = _writable(folders)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{model.file_name}.", delete=False) as file:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
                total = int(answer.headers.get("Content-Length") or 0) or None
                with tqdm(total=total, unit="B", unit_scale=True, desc=f"fetching {model.name}", disable=None) as bar:
                    while block := answer.read(1 << 16):
                        bar.update(len(block))
                        digest.update(block)
                        file.write(block)
                        if bar.n > LARGEST_BYTES:
                            raise ValueError(f"more than {LARGEST_BYTES >> 20} MiB came")
            if digest.hexdigest() != model.sha256:
                raise ValueError(f"what came has sha256 {digest.hexdigest()}")
            file.flush()
            path = folder / model.file_name
            put_in_place(Path(file.name), path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return path


def _one_line(error: BaseException) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return " ".join(str(reason).split()) or type(error).__name__
