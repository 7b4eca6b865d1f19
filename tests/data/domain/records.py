"""Records of clips, as extraction makes them."""

from data.domain.record import Record


def clip_records(kept: list[bool], shots: list[int] | None = None, clip: str = "a") -> list[Record]:
    """A clip's records as extraction makes them."""
    shots = shots or [0] * len(kept)
    return [
        Record(clip, n, n * 512, "1/12800", shots[n], "train" if keep else "excluded", track=0 if keep else None)
        for n, keep in enumerate(kept)
    ]
