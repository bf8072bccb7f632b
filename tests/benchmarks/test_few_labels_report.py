"""The arithmetic of `benchmarks/few_labels_report.py`, against tables and scipy."""

import importlib

import numpy as np
import pytest
from scipy import stats

report = importlib.import_module("few_labels_report")


def results(title: str, labels: int, **accuracies: list[float]) -> list[dict]:
    seeds = range(len(next(iter(accuracies.values()))))
    return [
        {
            "condition": {"title": title},
            "labels": labels,
            "seed": seed,
            "accuracy": {kind: values[seed] for kind, values in accuracies.items()},
        }
        for seed in seeds
    ]


RUNS = [
    *results("a", 50, real=[0.8, 0.9, 0.7]),
    *results("b", 50, mean=[0.83, 0.92, 0.74], real=[0.8, 0.9, 0.7]),
    *results("a", 100, real=[0.9, 0.9, 0.9]),
]


def test_interval_by_hand():
    mean, half = report.interval([1.0, 2.0, 3.0])
    assert mean == 2.0
    assert half == pytest.approx(4.3027 / 3**0.5, rel=1e-4)  # t table: 2 degrees of freedom, 97.5 %
    five = [0.0, 0.0, 0.0, 0.0, 1.0]  # standard deviation √0.2
    assert report.interval(five)[1] == pytest.approx(2.7764 * 0.2, rel=1e-4)
    assert report.interval([0.7]) == (0.7, float("inf"))


def test_interval_against_scipy():
    values = np.random.default_rng(0).normal(0.9, 0.02, 7)
    mean, half = report.interval(values)
    low, high = stats.t.interval(0.95, 6, values.mean(), stats.sem(values))
    assert (mean - half, mean + half) == pytest.approx((low, high))


def test_paired_difference_is_narrow_where_seeds_agree():
    a, b = {0: 0.8, 1: 0.9, 2: 0.7}, {2: 0.74, 0: 0.83, 1: 0.92, 9: 0.1}
    mean, half = report.paired_difference(b, a)
    expected = stats.ttest_rel([0.83, 0.92, 0.74], [0.8, 0.9, 0.7]).confidence_interval()
    assert mean == pytest.approx(0.03)
    assert (mean - half, mean + half) == pytest.approx(tuple(expected))
    assert report.paired_difference(a, {5: 1.0}) is None


def test_table_by_hand():
    assert report.accuracies(RUNS).splitlines() == [
        "| | test kernels | 50 labels | 100 labels |",
        "|---|---|---|---|",
        "| a | real | 80.00 ± 24.84 | 90.00 ± 0.00 |",
        "| b | mean | 83.00 ± 22.36 | – |",
        "| b | real | 80.00 ± 24.84 | – |",
    ]
    assert report.accuracies(RUNS, against=("a", "real")).splitlines()[2:] == [
        "| b | mean | +3.00 ± 2.48 | – |",
        "| b | real | +0.00 ± 0.00 | – |",
    ]


def test_figure_draws_accuracies_and_differences():
    runs = [*RUNS, *results("b", 100, mean=[0.92, 0.93, 0.94])]
    figure = report.accuracy_figure(runs, [("a", "real"), ("b", "mean")], "a", "title")
    left, right = figure.axes
    lines = [bars.lines[0].get_ydata() for bars in left.containers]
    np.testing.assert_allclose(lines, [[80, 90], [83, 93]])
    np.testing.assert_allclose(right.containers[0].lines[0].get_ydata(), [3, 3])
    assert left.get_xscale() == "log"
    assert len(left.containers) == 2
