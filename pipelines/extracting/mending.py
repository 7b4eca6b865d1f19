"""Damaged pictures of a clip, made anew from its source (deleted ones stay deleted), and what killed processes left."""

from data.disk import make_folder, put_in_place, remove_folder
from data.domain.domain import Domain
from data.domain.pictures import looks_whole
from durable.files import partial_path
from durable.locks import is_held
from pipelines.extracting.clip import Eyes, Wanted, make_clip
from pipelines.places import say

NAMED = 5


def mend(wanted: Wanted, domain: Domain, eyes: Eyes | None) -> None:
    """Puts whole pictures in the place of those that are cut off or are none. Raises RetargetError."""
    clip = domain.has(wanted.name)
    if clip is None:
        return
    folder = domain.folder / "frames" / clip.clip
    kept = [record for record in domain.records_of(clip, landmarks=False) if record.split != "excluded"]
    damaged = [r.file_name for r in kept if (folder / r.file_name).is_file() and not looks_whole(folder / r.file_name)]
    if not damaged:
        return
    more = f", and {len(damaged) - NAMED} more" if len(damaged) > NAMED else ""
    say(f"{folder}: {len(damaged)} pictures are damaged and made anew ({', '.join(damaged[:NAMED])}{more})")
    workplace = make_folder(partial_path(domain.workplace(wanted.name)))
    try:
        made = make_clip(wanted, domain, eyes, workplace)
        for name in damaged:
            if (made.pictures / name).is_file():
                put_in_place(made.pictures / name, folder / name)
    finally:
        remove_folder(workplace)


def clear_up(domain: Domain) -> None:
    """Removes what processes that were killed left of clips that are whole. Raises OutputError."""
    for clip in domain.clips:
        workplace, lock = domain.workplace(clip.clip), domain.lock_of(clip.clip)
        if (workplace.exists() or lock.exists()) and not is_held(lock):
            with domain.working_on(clip.clip, lambda _: None):
                remove_folder(workplace)
