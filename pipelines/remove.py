"""`retarget remove`: domains, runs and results go into the trash, and come back."""

from pathlib import Path

from data.errors import MissingInputError, SettingsError
from pipelines.keeping import trash
from pipelines.keeping.course import holder
from pipelines.keeping_options import RemoveOptions
from pipelines.places import say


def remove(options: RemoveOptions) -> None:
    """Nothing goes unless all that is named can. Raises MissingInputError, SettingsError, OutputError."""
    if not options.names:
        raise MissingInputError("nothing to remove: name domains, runs or results, such as runs/anna-ben")
    roots = (options.domains, options.runs, options.renders)
    if options.undo:
        for root, key in [_removed(name, roots) for name in options.names]:
            say(f"{trash.restore(root, key)}: is back")
        return
    places = [_there(name, roots) for name in options.names]
    for place in places:
        if holder(place / ".lock") is not None:
            raise SettingsError(f"{place}: is being trained; stop it first")
    for place in dict.fromkeys(places):
        trash.remove(place)
        say(f"{place}: in {place.parent / trash.TRASH}; back with: retarget remove --undo {place}")


def _there(name: str, roots: tuple[Path, ...]) -> Path:
    """What is meant: a path, or a name that one of the folders alone has."""
    path = Path(name)
    found = (
        [path] if path.exists() and len(path.parts) > 1 else [root / name for root in roots if (root / name).exists()]
    )
    found = [place for place in found if place.parent.resolve() in [root.resolve() for root in roots]]
    if not found:
        raise MissingInputError(f"{name}: no domain, run or result; there are those in {', '.join(map(str, roots))}")
    if len(found) > 1:
        raise SettingsError(f"{name}: could be {' or '.join(map(str, found))}; give one of these")
    if found[0].name.startswith("."):
        raise SettingsError(f"{name}: no domain, run or result")
    return found[0]


def _removed(name: str, roots: tuple[Path, ...]) -> tuple[Path, str]:
    """The folder whose trash has it, and its id there; of several the last."""
    path = Path(name)
    wanted = [root for root in roots if len(path.parts) == 1 or root.resolve() == path.parent.resolve()]
    found = [(entry["id"], root) for root in wanted for entry in trash.removed(root) if entry["name"] == path.name]
    if not found:
        raise MissingInputError(f"{name}: not in the trash of {', '.join(map(str, wanted or roots))}")
    key, root = max(found)
    return root, key
