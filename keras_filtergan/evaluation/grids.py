"""What the grids of the card are made of: which images and which latents."""

import numpy as np

IMAGES = 10
GRID = 7
SPAN = 3.0  # standard deviations of the latent
REACH = 1.5  # the same, of one dimension alone


def random_dims(latent_dim: int, seed: int) -> tuple[int, int] | None:
    """Two latent dimensions drawn by the seed, as the paper does; `None` if there is only one.

    Example:
        >>> random_dims(latent_dim=2, seed=0)
        (0, 1)
    """
    if latent_dim < 2:
        return None
    chosen = np.random.default_rng(seed).choice(latent_dim, 2, replace=False)
    first, second = sorted(int(dim) for dim in chosen)
    return first, second


def one_of_each_class(labels: np.ndarray, eligible: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the first eligible images, as evenly over the classes as there are images.

    Args:
        labels: classes `(n,)`.
        eligible: which images may be chosen, booleans `(n,)`.
        count: how many are wanted.

    Returns:
        At most `count` numbers: the first image of each class, then the second of each, and so on.

    Example:
        >>> one_of_each_class(np.array([0, 0, 0, 1]), np.array([False, True, True, True]), 2)
        array([1, 3])
    """
    numbers = np.flatnonzero(eligible)
    classes = labels[numbers]
    turn = np.array([np.count_nonzero(classes[:i] == label) for i, label in enumerate(classes)])
    return numbers[np.lexsort((classes, turn))[:count]]
