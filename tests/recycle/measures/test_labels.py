"""Label scores against scikit-learn, and palettes as they are read."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, jaccard_score

from data.domain.palette import read_palette
from data.errors import MissingInputError, SettingsError
from recycle.measures.labels import Confusion, class_accuracy, class_iou, nearest_class, pixel_accuracy

PALETTE = np.array([[128, 64, 128], [0, 0, 0], [70, 130, 180], [220, 20, 60], [107, 142, 35]], np.uint8)


def label_maps(seed: int, classes: list[int], noise: float = 25) -> tuple[np.ndarray, np.ndarray]:
    """(truth, result): maps of blocks, the result with errors and off colours."""
    generator = np.random.default_rng(seed)
    true = generator.choice(classes, (6, 8)).repeat(4, 0).repeat(4, 1)
    given = np.where(generator.random(true.shape) < 0.3, generator.choice(classes, true.shape), true)
    truth, result = (np.clip(PALETTE[c] + generator.normal(0, noise, (*c.shape, 3)), 0, 255) for c in (true, given))
    return truth.astype(np.uint8), result.astype(np.uint8)


def nearest_by_hand(rgb: np.ndarray, palette: np.ndarray) -> np.ndarray:
    return ((rgb[:, :, None].astype(int) - palette.astype(int)) ** 2).sum(-1).argmin(-1)


def test_the_nearest_colour_is_the_one_of_least_squares() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (90, 80, 3), dtype=np.uint8)
    assert np.array_equal(nearest_class(rgb, PALETTE), nearest_by_hand(rgb, PALETTE))


def test_scores_are_those_of_scikit_learn() -> None:
    confusion = Confusion(PALETTE)
    true, given = [], []
    for seed in range(3):
        truth, result = label_maps(seed, [0, 1, 2, 4])  # class 3 is nowhere but where noise makes it
        true.append(nearest_by_hand(truth, PALETTE).ravel())
        given.append(nearest_by_hand(result, PALETTE).ravel())
        assert confusion.add(result, truth) == pytest.approx(accuracy_score(true[-1], given[-1]))
    y, p = np.concatenate(true), np.concatenate(given)
    assert np.array_equal(confusion.counts, confusion_matrix(y, p, labels=range(5)))
    assert pixel_accuracy(confusion.counts) == pytest.approx(accuracy_score(y, p))
    assert class_accuracy(confusion.counts) == pytest.approx(balanced_accuracy_score(y, p))
    assert class_iou(confusion.counts) == pytest.approx(jaccard_score(y, p, average="macro"))


def test_what_is_void_in_the_truth_is_left_out_and_nothing_is_taken_for_it() -> None:
    truth, result = label_maps(7, [0, 1, 2, 3, 4])
    confusion = Confusion(PALETTE, void=1)
    confusion.add(result, truth)
    classes = [0, 2, 3, 4]
    true = nearest_by_hand(truth, PALETTE)
    given = np.array(classes)[nearest_by_hand(result, PALETTE[classes])]
    known = true != 1
    assert np.array_equal(confusion.counts, confusion_matrix(true[known], given[known], labels=classes))


def test_a_class_that_is_nowhere_counts_nowhere_and_a_right_map_is_perfect() -> None:
    truth, _ = label_maps(3, [0, 2], noise=0)
    confusion = Confusion(PALETTE)
    assert confusion.add(truth, truth) == 1
    assert pixel_accuracy(confusion.counts) == class_accuracy(confusion.counts) == class_iou(confusion.counts) == 1
    empty = Confusion(PALETTE, void=1)
    black = np.zeros((4, 4, 3), np.uint8)
    assert empty.add(truth[:4, :4], black) is None
    assert pixel_accuracy(empty.counts) is class_accuracy(empty.counts) is class_iou(empty.counts) is None


def test_a_palette_is_read_from_json_and_from_csv(tmp_path) -> None:
    (tmp_path / "p.json").write_text('{"road": [128, 64, 128], "void": "#000000", "sky": [70, 130, 180]}')
    (tmp_path / "p.csv").write_text("name,r,g,b\nroad,128,64,128\nvoid, #000000\n\nsky,70,130,180\n")
    for name in ("p.json", "p.csv"):
        palette = read_palette(tmp_path / name)
        assert palette.names == ["road", "void", "sky"] and palette.classes == ["road", "sky"] and palette.void == 1
        assert palette.colours.tolist() == [[128, 64, 128], [0, 0, 0], [70, 130, 180]]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", '{"road": [128, 64], "sky": [1, 2, 3]}', "no colour"),
        ("b.json", '{"road": [128, 64, 256], "sky": [1, 2, 3]}', "no colour"),
        ("c.json", '{"road": [1, 2, 3], "road": [4, 5, 6], "sky": [7, 8, 9]}', "twice"),
        ("d.json", '{"road": [1, 2, 3], "sky": [1, 2, 3]}', "twice"),
        ("e.json", '{"road": [1, 2, 3], "void": [0, 0, 0]}', "fewer than two"),
        ("f.json", "[1, 2]", "no table"),
        ("g.json", "{", "not a palette"),
        ("h.csv", "road\nsky\n", "no colour"),
        ("j.json", '{"road": [1, 2.5, true], "sky": [1, 2, 3]}', "no colour"),
        ("k.json", '{"road": {"r": 1}, "sky": [1, 2, 3]}', "no colour"),
        ("l.json", "[" * 100_000, "too deep"),
        ("m.csv", "road,1,2,x\nsky,4,5,6\n", "no colour"),
        ("i.csv", ",1,2,3\nsky,4,5,6\n", "without a name"),
    ],
)
def test_what_is_no_palette_is_one_line(tmp_path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=said) as caught:
        read_palette(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(MissingInputError):
        read_palette(tmp_path / "none.json")
