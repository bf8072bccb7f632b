"""Axes that are read without effort."""

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 10)


def plain_log(ax: Axes) -> None:
    """A vertical axis that grows by factors, its numbers written out, without a frame around it."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(FixedLocator(TICKS))
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelsize=8)
    ax.spines[["top", "right"]].set_visible(False)
