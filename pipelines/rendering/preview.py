"""One translated frame, to look at before hours of work."""

import dataclasses
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from data.disk import make_folder, put_in_place, write_bytes
from data.domain.part import Part, shown_at
from data.errors import SettingsError
from data.faces.placing import square_pixels
from data.writing.sequence import png
from pipelines.options import RenderOptions
from pipelines.places import say
from pipelines.rendering.painting import painter_for
from pipelines.rendering.stating import Stating
from pipelines.translating.following import placed
from pipelines.translating.translation import Translation


def preview(job: Translation, options: RenderOptions, at: Fraction, output: Path, stating: Stating) -> None:
    """Writes the frame that is shown `at` seconds after the first one, translated, in square pixels.

    Only that frame is looked at: a face that is followed is the one that it shows. Raises RetargetError.
    """
    if output.suffix.lower() != ".png":
        raise SettingsError(f"{output}: a preview is a picture; end its name in .png")
    source, metadata = job.source, stating.metadata(job)
    finish = stating.finish(job, metadata, output)
    found = shown_at(source, at)
    moment = Part(source.path, source.info, source, found.seconds, found.seconds + found.time_base)
    job = dataclasses.replace(job, source=moment, start=None, stop=None)
    placing, _ = placed(job, options)
    frame = next(moment.frames())
    painted = painter_for(job, options, placing).paint([frame])[0]
    shown = [square_pixels(picture, source.info) for picture in ([frame.rgb] if options.compare else []) + [painted]]
    make_folder(output.parent)
    content = png(np.concatenate(shown, axis=1), metadata)
    if finish is None:
        write_bytes(output, content)
    else:
        with TemporaryDirectory(dir=output.parent, prefix=".preview-") as folder:
            made, signed = Path(folder) / "made.png", Path(folder) / output.name
            write_bytes(made, content)
            finish(made, signed)
            put_in_place(signed, output)
    say(f"{output}: the frame at {float(found.seconds - source.info.begins):.2f} s")
