"""Files of what people agreed to: what is taken, and what is refused in a line."""

from datetime import date
from pathlib import Path

import pytest

from data.domain.consent import read_consent
from data.errors import MissingInputError, RetargetError, SettingsError
from tests.data.domain.consents import WHOLE

TODAY = date(2027, 12, 31)


def read(folder: Path, text: str | bytes):
    (folder / "c.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_consent(folder / "c.toml")


def test_it_covers_its_uses_up_to_its_last_day(tmp_path: Path) -> None:
    consent = read(tmp_path, WHOLE)
    assert consent.objection("film", TODAY) is None and consent.objection("RESEARCH", TODAY) is None
    assert "run out on 2027-12-31" in (consent.objection("film", date(2028, 1, 1)) or "")
    for use in ("advertising", "satire", "any"):
        assert f"not to {use}" in (consent.objection(use, TODAY) or "")
    assert consent.objection(None, TODAY) == (
        "Anna Example agreed to film, research but not advertising; say by --use which of them this is"
    )


def test_any_use_without_end(tmp_path: Path) -> None:
    text = WHOLE.replace('["Research", "film"]', '["any"]').replace("2027-12-31", '"unlimited"')
    consent = read(tmp_path, text)
    assert consent.objection("satire", date(2999, 1, 1)) is None and consent.objection("advertising", TODAY)
    assert consent.objection(None, TODAY), "what is forbidden is only known where the use is"
    free = read(tmp_path, text.replace('["advertising"]', "[]"))
    assert free.objection(None, TODAY) is None and free.span() == "without end"


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ('who = "Anna Example"\n', "", "does not say 'who'"),
        ('"Anna Example"', '""', "'who' has to be a line of text"),
        ('"Anna Example"', '"a\\u001b[31mb"', "'who' has to be a line of text"),
        ('["Research", "film"]', "[]", "'uses' has to be a list of words"),
        ('["Research", "film"]', '"film"', "'uses' has to be a list of words"),
        ('["Research", "film"]', '["../etc"]', "'uses' has to be a list of words"),
        ('["advertising"]', '["any"]', "'forbidden' cannot hold"),
        ("2027-12-31", '"tomorrow"', "'until' has to be a day"),
        ("2027-12-31", "2027-12-31T00:00:00", "'until' has to be a day"),
        ("record", "recrod", "says 'recrod', which is not known"),
        ("who =", "who", "is no TOML"),
        ("until", "x = " + "[" * 10_000 + "\nuntil", "is no TOML"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_a_line(tmp_path: Path, was: str, becomes: str, words: str) -> None:
    assert was in WHOLE
    with pytest.raises(SettingsError, match=words) as error:
        read(tmp_path, WHOLE.replace(was, becomes, 1))
    assert "\n" not in str(error.value) and "\x1b" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\0", b"[" * 100_000, b"a=1\n" * 20_000])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RetargetError) as error:
        read(tmp_path, content)
    assert len(str(error.value).splitlines()) == 1


def test_none_is_missing(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(MissingInputError):
            read_consent(path)
