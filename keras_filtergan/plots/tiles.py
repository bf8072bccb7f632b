"""Images as tiles of a figure."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine


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
