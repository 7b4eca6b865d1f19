"""The table of measures and the choice of the worst moments."""

from pipelines.judging.measures import MEASURES, line, worst


def test_the_worst_moments_lie_apart() -> None:
    seconds = [t / 25 for t in range(60)]
    series: list[float | None] = [30.0] * 60
    series[0], series[59] = None, float("inf")
    series[20], series[21], series[40], series[8] = 10.0, 11.0, 12.0, 13.0
    found = worst("psnr", series, seconds)
    assert [(moment["frame"], moment["value"]) for moment in found] == [(20, 10.0), (40, 12.0), (1, 30.0)]
    assert found[0]["seconds"] == 0.8
    assert [moment["frame"] for moment in worst("flicker", [0.0, None, 3.0], [0, 1, 2])] == [2]


def test_every_measure_says_what_it_is() -> None:
    for name, measure in MEASURES.items():
        assert measure.better in ("higher", "lower") and measure.about.endswith(".") and measure.title, name
        assert len(line(name, 0.123456).splitlines()) == len(line(name, "so it is").splitlines()) == 1
