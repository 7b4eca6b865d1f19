"""Every typed error a user can meet. Each message is one line: what is wrong, where, and what to do.

Errors that an option or another command mends keep their facts as attributes: what to type is for `pipelines` to say.
"""

from pathlib import Path


class RetargetError(Exception):
    """Base of all errors a user can cause. `exit_code` is what the command line returns for it."""

    exit_code = 2


class MissingInputError(RetargetError):
    """A file, folder, domain, run or model that was named does not exist."""


class MissingDomainError(MissingInputError):
    """There is no domain in `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: no such domain")
        self.folder = folder


class NotAVideoError(RetargetError):
    """The file cannot be read as a video: empty, text, audio only, damaged beyond its first frame, a playlist."""


class PictureError(RetargetError):
    """A picture file cannot be read."""


class TooFewFramesError(RetargetError):
    """Fewer usable consecutive frames than a window needs: `longest` instead of `needed`."""

    def __init__(self, where: str, longest: int, needed: int) -> None:
        frames = f"{longest} usable frame{'s' * (longest != 1)} in a row"
        super().__init__(f"{where}: {frames}, a window needs {needed}")
        self.longest = longest


class NoFaceError(RetargetError):
    """No face in any frame, or not the one asked for."""


class FewFacesError(NoFaceError):
    """Person number `wanted` was asked for, and there are `most` in the clip."""

    def __init__(self, wanted: int, most: int) -> None:
        super().__init__(
            f"{most} {'person is' if most == 1 else 'people are'} in the clip, so there is no face {wanted}"
        )
        self.most = most


class UnknownPersonError(NoFaceError):
    """Nobody in the clip is the person asked for. likeness: of the nearest. needed: the least of the same person."""

    def __init__(self, likeness: float, needed: float, recogniser: str) -> None:
        super().__init__(
            f"nobody in the clip is the person asked for: the nearest has a likeness of {max(likeness, 0):.2f}, "
            f"the same person has at least {needed:.2f} ({recogniser})"
        )
        self.likeness, self.by_looks = likeness, recogniser == "looks"
        self.where = ""

    def __str__(self) -> str:
        return f"{self.where}: {super().__str__()}" if self.where else super().__str__()


class SettingsError(RetargetError):
    """Options that do not fit together, or do not fit what is already on disk."""


class FaceChoiceError(SettingsError):
    """What was given for a face names none."""

    def __init__(self, face: str) -> None:
        super().__init__(f"face {face!r}: not largest, no number of a person, no picture of the person")


class PairsNotStripsError(SettingsError):
    """A folder was asked to hold strips, and its name says that it holds pairs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: is taken for pairs side by side, not for strips")


class SmallPicturesError(SettingsError):
    """A domain's pictures are of size `there`, smaller than the size `wanted`, both in pixels."""

    def __init__(self, folder: Path, there: int, wanted: int) -> None:
        super().__init__(f"{folder}: its pictures are of size {there}, training wants {wanted}")
        self.there, self.wanted = there, wanted


class BadNameError(RetargetError):
    """A name that must not become a path."""


class MissingModelError(RetargetError):
    """A model file is neither in the models folder nor to be had, or its sha256 is not the pinned one."""


class MissingExtraError(RetargetError):
    """A part of the program that an optional dependency provides. Names the extra to install."""


class FetchError(RetargetError):
    """A URL could not be fetched."""

    exit_code = 1


class OutputError(RetargetError):
    """The output cannot be written: no permission, disk full, not a folder."""

    exit_code = 1


class TrainingError(RetargetError):
    """Training cannot go on: losses are not finite, or no checkpoint can be read."""

    exit_code = 1
