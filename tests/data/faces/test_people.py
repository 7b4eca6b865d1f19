"""The people of a clip: one over all shots, others apart, numbered by how much they are seen."""

from data.faces.people import people
from data.faces.recognise import Looks
from data.faces.tracks import link_shots
from tests.data.faces.people import ANN, BOB, EVE, seen


def test_a_person_of_two_shots_is_one_and_who_is_beside_them_another() -> None:
    frames = [[seen(ANN, 100), seen(BOB, 300, width=50)]] * 10 + [[seen(EVE, 100)]] * 6 + [[seen(ANN, 300)]] * 10
    found = people(link_shots(frames, {10, 16}, 5)[0], Looks())
    assert [(person.frames, len(person.tracks)) for person in found] == [(20, 2), (10, 1), (6, 1)]


def test_two_who_look_alike_and_are_in_view_at_once_are_two() -> None:
    found = people(link_shots([[seen(ANN, 100), seen(ANN, 300)]] * 10, set(), 5)[0], Looks())
    assert [person.frames for person in found] == [10, 10]
