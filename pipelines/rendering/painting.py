"""What translates the frames of a clip."""

from data.faces.cropper import Cropper
from data.faces.placing import Placing
from pipelines.option_groups import TranslatingOptions
from pipelines.options import RenderOptions
from pipelines.translating.paint import Faces, Painter
from pipelines.translating.scale import refuse_for_faces, whole_frames
from pipelines.translating.translation import Translation


def painter_for(job: Translation, options: RenderOptions, placing: Placing) -> Painter:
    """Whole frames, or the face that was followed."""
    if placing.places is None:
        return whole_frames(job, options.scale)
    refuse_for_faces(options.scale, TranslatingOptions.scale)
    cropper = Cropper(placing, job.source.info, job.face_px, cut_px=job.picture_px)
    return Faces(job.method, job.direction, cropper, blend=options.blend, colour_match=options.colour_match)
