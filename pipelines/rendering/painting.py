"""What translates the frames of a clip."""

from data.errors import SettingsError
from data.faces.colour_match import ColourMatch
from data.faces.cropper import Cropper
from data.faces.masks import FEATHER, SharedMask
from data.faces.placing import Placing
from data.writing.label import Label
from pipelines.option_groups import TranslatingOptions
from pipelines.options import RenderOptions
from pipelines.translating.paint import Faces, Painter
from pipelines.translating.scale import refuse_for_faces, whole_frames
from pipelines.translating.translation import Translation

LEAST_FEATHER, MOST_FEATHER = 0.01, 0.5


def painter_for(job: Translation, options: RenderOptions, placing: Placing) -> Painter:
    """Whole frames, or the face that was followed; with the text that the user wants on them."""
    painter: Painter
    if placing.places is None:
        painter = whole_frames(job, options.scale)
    else:
        refuse_for_faces(options.scale, TranslatingOptions.scale)
        cropper = Cropper(placing, job.source.info, job.face_px, cut_px=job.picture_px)
        mask, colours = how_laid_in(options)
        painter = Faces(job.method, job.direction, cropper, blend=options.blend, mask=mask, colours=colours)
    painter.label = label_for(job, options)
    return painter


def how_laid_in(options: RenderOptions) -> tuple[SharedMask, ColourMatch | None]:
    """What decides which part of a face is laid into its frame, and in which colours. Raises SettingsError."""
    feather = FEATHER if options.feather is None else options.feather
    if not LEAST_FEATHER <= feather <= MOST_FEATHER:
        raise SettingsError(f"--feather {feather:g}: a part of the face's picture, {LEAST_FEATHER} to {MOST_FEATHER}")
    if not 0 <= options.match_strength <= 1:
        raise SettingsError(f"--match-strength {options.match_strength:g}: from 0 to 1")
    colours = ColourMatch(strength=options.match_strength) if options.colour_match else None
    return SharedMask(feather), colours


def label_for(job: Translation, options: RenderOptions) -> Label | None:
    """The text that the user wants on every frame. Raises SettingsError, MissingInputError."""
    return None if options.mark is None else Label(options.mark, job.source.info, options.mark_font)
