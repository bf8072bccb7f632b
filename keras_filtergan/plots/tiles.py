"""Images as tiles of a figure."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle


def show_image(ax, image: np.ndarray) -> None:
    """An image `(h, w, c)` in [0, 1], grey or in colour, without ticks."""
    if image.shape[-1] == 1:
        ax.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
    else:
        ax.imshow(image)
    ax.set(xticks=[], yticks=[])


def frame(ax, colour: str, style: str) -> None:
    """Draw the border of a tile in a colour, solid (`-`) or dotted (`:`)."""
    for spine in ax.spines.values():
        spine.set(color=colour, linewidth=2.5, linestyle=style)


GAP = 0.04  # between tiles, of a tile


def tile_axes(figure: Figure, rows: int, columns: int, shape: tuple[int, int]) -> Axes:
    """Axes with a cell for each tile, which are drawn much faster than axes for each tile.

    Args:
        figure: the axes fill it.
        rows: row 0 is at the top; the middle of row `i` is at `y = i`.
        columns: the middle of column `j` is at `x = j`.
        shape: height and width of a tile.
    """
    ax = figure.subplots()
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect=shape[0] / shape[1])
    ax.set(xticks=[], yticks=[])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def show_tile(ax: Axes, image: np.ndarray, row: int, column: int, **look: Any) -> None:
    """An image `(h, w)`, or `(h, w, c)` in [0, 1], in a cell of `tile_axes`."""
    aspect, limits = ax.get_aspect(), (ax.get_xlim(), ax.get_ylim())
    half = 0.5 - GAP / 2
    if image.ndim == 3 and image.shape[-1] == 1:
        image, look = image[..., 0], {"vmin": 0, "vmax": 1, **look}
    extent = (column - half, column + half, row + half, row - half)
    ax.imshow(image, extent=extent, aspect=aspect, **{"cmap": "gray", **look})
    ax.set(xlim=limits[0], ylim=limits[1])


def frame_tile(
    ax: Axes, row: int, column: int, colour: str, points: float, style: str = "-"
) -> None:
    """Draw the border of a cell of `tile_axes`, so wide, solid (`-`) or dotted (`:`)."""
    corner, side = (column - 0.5 + GAP / 2, row - 0.5 + GAP / 2), 1 - GAP
    look = {"edgecolor": colour, "linewidth": points, "linestyle": style}
    ax.add_patch(Rectangle(corner, side, side, fill=False, **look))


def set_gaps(figure: Figure, between: float) -> None:
    """Put tiles close together, a 50th of an inch from their labels.

    Args:
        figure: with a compressed layout.
        between: of the width of a tile, left free between two.
    """
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(w_pad=0.02, h_pad=0.02, wspace=between, hspace=between)


def subfigures(figure: Figure, rows: int, columns: int, **ratios: Any) -> list[SubFigure]:
    """The parts of a figure, row by row; arguments as of `Figure.subfigures`."""
    parts = figure.subfigures(rows, columns, squeeze=False, **ratios)
    return [part for row in parts for part in row]
