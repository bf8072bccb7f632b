"""What many single results say together: intervals, paired differences, a table, a figure."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

CONFIDENCE = 0.95
MARKERS = "osDvPX^*"
COLOURS = ("black", "tab:orange", "tab:blue", "tab:green", "tab:red", "tab:purple")

Runs = Sequence[dict]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean of independent results, and half the width of its 95 % interval (Student's t).

    Returns:
        `(mean, half)`; of a single value the half is infinite.

    Example:
        >>> interval([1.0, 2.0, 3.0])       # 2 ± 4.303 · 1 / √3
        (2.0, 2.484)
    """
    values = np.asarray(values, "float64")
    n = len(values)
    if n < 2:
        return float(values.mean()), float("inf")
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
    return float(values.mean()), float(quantile * values.std(ddof=1) / np.sqrt(n))


def paired_difference(
    values: dict[int, float], against: dict[int, float]
) -> tuple[float, float] | None:
    """`interval` of the differences between results of the same seed.

    Args:
        values, against: results by seed; only seeds that both have count.

    Returns:
        `None` if they share no seed.
    """
    shared = sorted(set(values) & set(against))
    return interval([values[s] - against[s] for s in shared]) if shared else None


def by_seed(runs: Runs, condition: str, inference: str, labels: int) -> dict[int, float]:
    """Accuracy by seed of one cell of the table."""
    return {
        run["seed"]: run["accuracy"][inference]
        for run in runs
        if run["condition"]["title"] == condition
        and run["labels"] == labels
        and inference in run["accuracy"]
    }


def rows_of(runs: Runs) -> list[tuple[str, str]]:
    """Condition and inference of each row, in the order in which they were first met."""
    found = [(r["condition"]["title"], kind) for r in runs for kind in r["accuracy"]]
    return list(dict.fromkeys(found))


def accuracies(runs: Runs, against: tuple[str, str] | None = None) -> str:
    """Markdown: a row a condition and inference, a column a number of labels, in per cent.

    Args:
        runs: the single results.
        against: show paired differences from this condition under this inference instead.
    """
    sizes = sorted({run["labels"] for run in runs})
    rows = rows_of(runs)
    head = "test kernels | " + " | ".join(f"{size} labels" for size in sizes)
    lines = [f"| | {head} |", "|---" * (len(sizes) + 2) + "|"]
    for title, inference in rows:
        if (title, inference) == against:
            continue
        cells = []
        for size in sizes:
            values = by_seed(runs, title, inference, size)
            if against is not None:
                cells.append(_cell(paired_difference(values, by_seed(runs, *against, size)), "+"))
            else:
                cells.append(_cell(interval(list(values.values())) if values else None))
        lines.append(f"| {title} | {inference} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(found: tuple[float, float] | None, sign: str = "") -> str:
    if found is None:
        return "–"
    mean, half = (100 * number for number in found)
    return f"{mean:{sign}.2f} ± {half:.2f}" if np.isfinite(half) else f"{mean:{sign}.2f}"


def accuracy_figure(
    runs: Runs, rows: Iterable[tuple[str, str]], against: str, title: str
) -> Figure:
    """Accuracy against the number of labels, and the paired differences from one condition.

    A colour is a kind of kernels; dashed and hollow is the same with something on top.

    Args:
        runs: the single results.
        rows: condition and inference of each curve.
        against: the condition of the right panel.
        title: what was learned from what.
    """
    sizes = np.array(sorted({run["labels"] for run in runs}))
    rows = list(rows)
    kinds = list(dict.fromkeys(_kind(row) for row in rows))
    base = next(row for row in rows if row[0] == against)
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for place, row in enumerate(rows):
        # side by side, or the intervals hide each other
        at = sizes * 1.03 ** (place - (len(rows) - 1) / 2)
        kind = kinds.index(_kind(row))
        hollow = {"linestyle": "--", "markerfacecolor": "white"} if "+" in row[0] else {}
        look = {
            "color": COLOURS[kind % len(COLOURS)],
            "marker": MARKERS[kind % len(MARKERS)],
            "markersize": 5,
            "capsize": 2,
            "linewidth": 1,
            **hollow,
        }
        cells = [by_seed(runs, *row, size) for size in sizes]
        means, halves = np.array([interval(list(cell.values())) for cell in cells]).T
        left.errorbar(at, 100 * means, 100 * halves, label=row[0], **look)
        if row != base:
            others = [by_seed(runs, *base, size) for size in sizes]
            pairs = zip(cells, others, strict=True)
            means, halves = np.array([paired_difference(*pair) for pair in pairs]).T
            right.errorbar(at, 100 * means, 100 * halves, label=row[0], **look)
    right.axhline(0, color="black", linewidth=0.8)
    for ax, name in (
        (left, "test accuracy, %"),
        (right, f"difference from {against}, same seeds, points"),
    ):
        ax.set_xscale("log")
        ax.set_xticks(sizes, [str(size) for size in sizes])
        ax.minorticks_off()
        ax.set(xlabel="labels", ylabel=name)
        ax.spines[["top", "right"]].set_visible(False)
    left.legend(fontsize=8, frameon=False, loc="lower right")
    figure.suptitle(title, fontsize=10)
    return figure


def _kind(row: tuple[str, str]) -> str:
    """Whose kernels: the first word of a condition."""
    return row[0].split()[0].strip(",")
