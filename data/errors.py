"""Every typed error a user can meet. Each message is one line: what is wrong, where, and what to do."""


class RetargetError(Exception):
    """Base of all errors a user can cause. `exit_code` is what the command line returns for it."""

    exit_code = 2


class MissingInputError(RetargetError):
    """A file, folder, domain, run or model that was named does not exist."""


class NotAVideoError(RetargetError):
    """The file cannot be read as a video: empty, text, audio only, damaged beyond its first frame, a playlist."""


class PictureError(RetargetError):
    """A picture file cannot be read."""


class TooFewFramesError(RetargetError):
    """Fewer usable consecutive frames than a window needs. Says how many there are and how many are needed."""


class NoFaceError(RetargetError):
    """No face in any frame, or not the one asked for."""


class SettingsError(RetargetError):
    """Options that do not fit together, or do not fit what is already on disk."""


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
