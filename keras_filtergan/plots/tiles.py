"""Images as tiles of a figure."""

import numpy as np


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
