"""What to type against an error that `data` can only state: the one place that knows which option mends which."""

from collections.abc import Callable
from typing import Any

from data.errors import (
    FaceChoiceError,
    FewFacesError,
    MissingDomainError,
    PairsNotStripsError,
    RetargetError,
    SmallPicturesError,
    TooFewFramesError,
    UnknownPersonError,
)

ADVICE: dict[type[RetargetError], Callable[[Any], str]] = {
    MissingDomainError: lambda error: f"make it with: retarget extract VIDEO --name {error.folder.name}",
    SmallPicturesError: lambda error: f"extract again with --size {error.wanted}, or train with --size {error.there}",
    TooFewFramesError: lambda error: (
        "single pictures train with methods of one frame, such as --method cyclegan"
        if error.longest == 1
        else "give a longer clip, or delete fewer pictures"
    ),
    PairsNotStripsError: lambda error: "leave --strips yes away",
    FaceChoiceError: lambda error: "give one of these by --face",
    FewFacesError: lambda error: f"choose --face 1 to {error.most}, or largest",
    UnknownPersonError: lambda error: (
        "see who is there with --people and choose by --face, or give another --name"
        + ("; to recognise people in other light: pip install -e '.[identity]'" if error.by_looks else "")
    ),
}


def advised(error: RetargetError) -> str:
    """The line for the user: what is wrong and where, and what to do."""
    advice = ADVICE.get(type(error))
    return str(error) if advice is None else f"{error}; {advice(error)}"


def lacks_memory(error: BaseException) -> bool:
    """Whether this is a lack of memory, of a GPU or of the machine, however it is said."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # of torch
        return True
    said = ("can't allocate memory", "not enough memory", "could not create a memory", "bad_alloc", "out of memory")
    return isinstance(error, RuntimeError) and any(words in str(error) for words in said)
