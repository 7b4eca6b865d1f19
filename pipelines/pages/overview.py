"""What is shown of a domain when it is made: a sheet of its pictures, and a line."""

from collections import Counter

import numpy as np

from data.domain.domain import Domain
from data.domain.pictures import captioned, looks_whole, read_picture, resize, sheet, write_sheet
from data.domain.record import Record
from pipelines.places import say

PICTURES = 40
COLUMNS = 10
CELL_PX = 128


def write_contact_sheet(domain: Domain, records: list[Record]) -> None:
    """contact-sheet.jpg: pictures spread evenly over the domain, with clip and number. Raises OutputError."""
    kept = [record for record in records if (domain.folder / record.picture).is_file()]
    chosen = [kept[round(i)] for i in np.linspace(0, len(kept) - 1, min(PICTURES, len(kept)))]
    cells = []
    for record in (record for record in chosen if looks_whole(domain.folder / record.picture)):
        picture = read_picture(domain.folder / record.picture)
        scale = CELL_PX / max(picture.shape[:2])
        small = resize(picture, (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))))
        cells.append(captioned(small, f"{record.number + 1} {record.clip}"))
    rows = [cells[i : i + COLUMNS] for i in range(0, len(cells), COLUMNS)]
    write_sheet(domain.folder / "contact-sheet.jpg", sheet(rows))


def summarise(domain: Domain, records: list[Record]) -> None:
    """Says in a line what the domain holds."""
    splits = Counter(record.split for record in records)
    reasons = Counter(record.reason for record in records if record.reason)
    excluded = ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"
    faces = "" if domain.aligner == "none" else f", {sum(r.track is not None for r in records)} with the face"
    likeness = [record.likeness for record in records if record.likeness is not None]
    if likeness:
        faces += f" (likeness {min(likeness):.2f} to {max(likeness):.2f})"
    shots = sum(clip.shots for clip in domain.clips)
    say(
        f"{domain.folder}: {len(records)} frames of {len(domain.clips)} clip{'s' * (len(domain.clips) != 1)}, "
        f"{shots} shot{'s' * (shots != 1)}{faces}, excluded: {excluded}; "
        f"{splits['train']} to train on, {splits['test']} held out ({domain.aligner}, {domain.size} px). "
        f"Look at {domain.folder / 'contact-sheet.jpg'}"
    )
