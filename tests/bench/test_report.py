"""Figures that the benches print."""

import pytest

from bench.report import percentile, tail_row


def test_a_percentile_is_the_nearest_rank():
    assert [percentile(range(1, 101), percent) for percent in (0, 1, 50, 95, 99, 100)] == [
        1,
        1,
        50,
        95,
        99,
        100,
    ]
    assert percentile([7.0], 99) == 7


@pytest.mark.parametrize(
    ("count", "percent", "figure"),
    [
        (99, 99, "max of 99"),
        (100, 99, "p99"),
        (19, 95, "max of 19"),
        (20, 95, "p95"),
        (1000, 99.9, "p99.9"),
    ],
)
def test_the_maximum_of_few_values_is_not_called_a_percentile(
    capsys: pytest.CaptureFixture[str], count: int, percent: int, figure: str
):
    tail_row("POST", range(count), percent, "ms", scale=10)
    largest = (count - 1 if "max" in figure else count - 2) * 10
    assert capsys.readouterr().out.split() == f"POST, {figure} {largest:,.2f} ms".split()
