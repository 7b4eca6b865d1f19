"""What translates the frames of a clip."""

from data.faces.cropper import Cropper
from data.faces.placing import Placing
from data.writing.label import Label
from pipelines.option_groups import TranslatingOptions
from pipelines.options import RenderOptions
from pipelines.translating.paint import Faces, Painter
from pipelines.translating.scale import refuse_for_faces, whole_frames
from pipelines.translating.translation import Translation


def painter_for(job: Translation, options: RenderOptions, placing: Placing) -> Painter:
    """Whole frames, or the face that was followed; with the text that the user wants on them."""
    painter: Painter
    if placing.places is None:
        painter = whole_frames(job, options.scale)
    else:
        refuse_for_faces(options.scale, TranslatingOptions.scale)
        cropper = Cropper(placing, job.source.info, job.face_px, cut_px=job.picture_px)
        painter = Faces(job.method, job.direction, cropper, blend=options.blend, colour_match=options.colour_match)
    painter.label = label_for(job, options)
    return painter


def label_for(job: Translation, options: RenderOptions) -> Label | None:
    """The text that the user wants on every frame. Raises SettingsError, MissingInputError."""
    return None if options.mark is None else Label(options.mark, job.source.info, options.mark_font)
