"""What of two domains' making does not fit together: told before training."""

import numpy as np

from data.domain.domain import Domain
from data.faces.align import scale_of

DIFFERENT_SCALE = 2.0
_LOOKED_AT = 200


def misfits(a: Domain, b: Domain) -> list[str]:
    """A line for each: aligners, sizes, and how much faces were enlarged."""
    found = []
    if a.aligner != b.aligner:
        found.append(f"{a.name} was cut by {a.aligner} and {b.name} by {b.aligner}: faces lie differently in them")
    if a.size != b.size:
        found.append(f"{a.name} has pictures of {a.size} px and {b.name} of {b.size} px: one is softer")
    scales = [_scale(domain) for domain in (a, b)]
    if None not in scales and max(scales) > DIFFERENT_SCALE * min(scales):  # type: ignore[type-var, operator]
        found.append(
            f"faces of {a.name} are scaled by {scales[0]:.2f} and those of {b.name} by {scales[1]:.2f}: "
            "the larger the factor, the softer"
        )
    return found


def _scale(domain: Domain) -> float | None:
    """Pixels of a picture a pixel of its frame, the median over the first clip; None for whole frames."""
    if not domain.clips:
        return None
    records = [record for record in domain.records_of(domain.clips[0]) if record.transform is not None][:_LOOKED_AT]
    return float(np.median([scale_of(np.array(record.transform, float)) for record in records])) if records else None
