"""Whose face of a clip is translated, and where it is: what rendering and evaluating see alike."""

from pathlib import Path
from typing import Any

from data.disk import file_digest
from data.errors import NoFaceError, UnknownPersonError
from data.faces.aligners import open_aligner
from data.faces.detection import Backend
from data.faces.people import Identity
from data.faces.placing import LOOKS, Placing, look, whom
from data.faces.recognise import Looks, open_recogniser
from pipelines.options import EvaluateOptions, RenderOptions
from pipelines.places import say
from pipelines.translating.translation import Translation


def placed(translation: Translation, options: RenderOptions | EvaluateOptions) -> tuple[Placing, Backend | None]:
    """Where the face is in every frame of the clip, and what finds it; None for whole frames. Raises RetargetError."""
    source, folder = translation.source, options.domains / LOOKS
    if translation.aligner == "none":
        placing, aligner = look(source, None, "largest", folder), None
    else:
        aligner = open_aligner(translation.aligner, options.models, say)
        placing = _followed(translation, options, aligner)
    if note := placing.note_on_shapes(source):
        say(note)
    if placing.faceless:
        raise NoFaceError(
            f"{source.path}: no face found in any of {placing.frames} frames, so there is nothing to "
            f"translate; give another --input, or a run of whole frames (retarget extract --align none)"
        )
    return placing, aligner


def _followed(translation: Translation, options: RenderOptions | EvaluateOptions, aligner: Backend) -> Placing:
    """The person that the domain followed, where nobody else is asked for and they are in the clip.

    Raises RetargetError.
    """
    source, folder, known = translation.source, options.domains / LOOKS, _known_person(translation)
    recogniser = open_recogniser(options.models, say, known.recogniser if known is not None else None)
    asked = whom(options.face, aligner, recogniser)
    if known is None or asked != "largest":
        return look(source, aligner, asked, folder, recogniser)
    try:
        return look(source, aligner, known, folder, recogniser)
    except UnknownPersonError as error:
        placing = look(source, aligner, asked, folder, recogniser)
        say(f"{source.path}: {error}; the largest face is translated instead")
        return placing


def person_of(translation: Translation, options: RenderOptions | EvaluateOptions) -> list[Any]:
    """What decides whose face is translated: what is asked for, and whom the domain follows."""
    picture = Path(options.face)
    asked = file_digest(picture).hex() if picture.suffix and picture.is_file() else options.face
    known = None if translation.domain is None else translation.domain.identity
    return [translation.aligner, asked, known]


def _known_person(translation: Translation) -> Identity | None:
    """Whom the source's domain follows, where that is known; by looks alone only in clips that it was made from."""
    domain = translation.domain
    if domain is None or domain.identity is None:
        return None
    identity = Identity.from_json(domain.identity)
    return identity if identity.recogniser != Looks.name or translation.of_its_domain else None
