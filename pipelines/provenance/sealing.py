"""A digest of all that a signed video holds, in a box at its end.

C2PA's own hash leaves out the box that says what kind of file it is, room to spare (`free`, which this box is), and
what its signature is padded with. Of those bytes, too, a changed one is told. The digest is no signature: whoever
changes a file can make it anew.
"""

import hashlib
from pathlib import Path

_LABEL = b"retarget sha256 of all before: "
_HEAD = (8 + len(_LABEL) + 32).to_bytes(4, "big") + b"free" + _LABEL
_LENGTH = len(_HEAD) + 32


def seal(path: Path) -> None:
    """Adds the box to a finished MP4 or QuickTime file. Raises OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    with path.open("ab") as file:
        file.write(_HEAD + digest)


def is_sealed(path: Path) -> bool:
    """Whether the file ends in such a box, and holds what it held then. Raises OSError."""
    digest, left = hashlib.sha256(), path.stat().st_size - _LENGTH
    with path.open("rb") as file:
        while left > 0 and (part := file.read(min(left, 1 << 20))):
            digest.update(part)
            left -= len(part)
        return left == 0 and file.read() == _HEAD + digest.digest()
