"""A walk through latent space and the pictures found along it, with the measures of both."""

import dataclasses
import math
import numbers
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from keras_filtergan.data.pixels import to_bytes, to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.files import in_one_step

# Relative squared error below which two activations are the same but for rounding: the same kernels
# as one set for all images and as a set for each are computed in different orders.
ROUNDING = 1e-11


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Images x_k, one for each latent z_k of a layout of rows and columns, made from n images x.

    Attributes:
        images: x_k, `(n, rows, columns, h, w, c)` in [0, 1].
        latents: z_k, `(rows, columns, d)`.
        start: x, `(n, h, w, c)` in [0, 1].
    """

    images: np.ndarray
    latents: np.ndarray
    start: np.ndarray

    @property
    def pixel_distance(self) -> float:
        """Mean of ‖x_k − x‖ / ‖x‖ over all images and latents."""
        return pixel_distance(self.images, self.start[:, None, None])


@dataclasses.dataclass(frozen=True)
class Walk(Pictures):
    """Pictures on a square grid of latents around z, and how well each does: from `Inverter.walk`.

    Down runs the first latent direction, to the right the second; the middle cell is z itself.

    Attributes:
        error_before: ‖a(x|z_k) − a(x|z)‖², `(n, grid, grid)`: what the change of kernels does.
        error_after: ‖a(x_k|z_k) − a(x|z)‖², `(n, grid, grid)`: what the change of the image leaves.
        history: how the images were sought: `activation` (squared error by ‖a(x|z)‖²), `prior` and
            `total` (their sum), each `(steps + 1, n, grid, grid)`, at the start and after every
            step. Empty where nothing was sought.

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 3, figures 3 and 4.
    """

    error_before: np.ndarray
    error_after: np.ndarray
    history: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @classmethod
    def of_inversion(
        cls,
        images: np.ndarray,
        latents: np.ndarray,
        start: np.ndarray,
        history: dict[str, np.ndarray],
        energy: np.ndarray,
    ) -> "Walk":
        """A walk whose images are those of the step with the lowest total.

        Args:
            images, latents, start, history: as in the walk.
            energy: ‖a(x|z)‖², `(n,)`, by which the errors of the history were divided.
        """
        kept = np.nanargmin(history["total"], axis=0)[None]
        relative = np.where(history["activation"] < ROUNDING, 0.0, history["activation"])
        before, after = relative[0], np.take_along_axis(relative, kept, axis=0)[0]
        unit = energy[:, None, None]
        return cls(images, latents, start, before * unit, after * unit, history)

    def of_image(self, index: int) -> "Walk":
        """The walk of one of the images alone, as a walk of n = 1."""
        return self._part(slice(index, index + 1), slice(None))

    def inner(self, reach: int) -> "Walk":
        """The middle part: `reach` cells, at least 1, from the middle to each side.

        Example:
            >>> walk.inner(1).images.shape
            (4, 3, 3, 28, 28, 1)
        """
        middle = len(self.latents) // 2
        return self._part(slice(None), slice(middle - reach, middle + reach + 1))

    def turned(self) -> "Walk":
        """The same walk with its two latent directions exchanged."""
        cells = ("images", "error_before", "error_after")
        swapped = {name: np.swapaxes(getattr(self, name), 1, 2) for name in cells}
        history = {name: np.swapaxes(rows, 2, 3) for name, rows in self.history.items()}
        latents = np.swapaxes(self.latents, 0, 1)
        return dataclasses.replace(self, latents=latents, history=history, **swapped)

    def save(self, path: Path) -> None:
        """Keep the walk without its history, images as bytes, in an `.npz` file, in one step."""
        with in_one_step(path) as aside:
            self.write(aside)

    def write(self, path: Path) -> None:
        """The same for a file that nobody reads yet."""
        kept = {name: getattr(self, name) for name in ("latents", "error_before", "error_after")}
        pictures = {name: to_bytes(getattr(self, name)) for name in ("images", "start")}
        np.savez_compressed(path, allow_pickle=False, **kept, **pictures)

    @classmethod
    def load(cls, path: Path) -> "Walk":
        """A walk that `save` has kept; nothing in the file is executed.

        Raises:
            InputError: the file is missing, damaged, or holds something else.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                parts = {name: file[name] for name in file.files}
            pictures = {name: to_unit_interval(parts.pop(name)) for name in ("images", "start")}
            walk = cls(**parts, **pictures)
            n, rows, columns = walk.images.shape[:3]
            if walk.latents.shape[:2] != (rows, columns) or len(walk.start) != n:
                raise ValueError("arrays of different layouts")
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise InputError(
                f"expected a walk in {str(path)!r}, it cannot be read ({error})"
            ) from None
        return walk

    def _part(self, which: slice, cells: slice) -> "Walk":
        """The walks of some images over a square of the cells."""
        return Walk(
            images=self.images[which, cells, cells],
            latents=self.latents[cells, cells],
            start=self.start[which],
            error_before=self.error_before[which, cells, cells],
            error_after=self.error_after[which, cells, cells],
            history={name: rows[:, which, cells, cells] for name, rows in self.history.items()},
        )

    @property
    def explained_fraction(self) -> float:
        """How much of the change of kernels the change of the images undoes, over all grids."""
        return explained_fraction(self.error_before, self.error_after)


def explained_fraction(before: ArrayLike, after: ArrayLike) -> float:
    """1 − Σ‖a(x_k|z_k) − a(x|z)‖² / Σ‖a(x|z_k) − a(x|z)‖².

    It has no units and does not know how strongly the kernels were changed: 1 if the images undo
    the change completely, 0 if they do nothing.

    Args:
        before: squared errors ‖a(x|z_k) − a(x|z)‖², any shape.
        after: squared errors ‖a(x_k|z_k) − a(x|z)‖², of the same shape.

    Returns:
        At most 1; NaN if there was no change to explain.

    Raises:
        InputError: different shapes.

    Example:
        >>> explained_fraction([4.0, 4.0], [1.0, 3.0])
        0.5
    """
    first, last = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if first.shape != last.shape:
        raise InputError(
            f"expected errors of one shape, received {first.shape} before, {last.shape} after"
        )
    change = first.sum()
    return float(1.0 - last.sum() / change) if change > 0 else math.nan


def pixel_distance(images: np.ndarray, start: np.ndarray) -> float:
    """Mean of ‖x_k − x‖ / ‖x‖ over images.

    Args:
        images: x_k, `(..., h, w, c)`.
        start: x, of a shape that broadcasts to that of the images.

    Returns:
        At least 0; NaN if every x is black. Black images have no norm and do not count.

    Example:
        >>> pixel_distance(np.full([1, 2, 2, 1], 0.75), np.full([1, 2, 2, 1], 0.5))
        0.5
    """
    images, start = np.asarray(images, np.float64), np.asarray(start, np.float64)
    moved = np.sqrt(np.sum((images - start) ** 2, axis=(-3, -2, -1)))
    norm = np.broadcast_to(np.sqrt(np.sum(start**2, axis=(-3, -2, -1))), moved.shape)
    lit = norm > 0
    return float(np.mean(moved[lit] / norm[lit])) if lit.any() else math.nan


def latent_grid(
    z: np.ndarray,
    latent_dim: int,
    dims: Sequence[int] | Sequence[np.ndarray] = (0, 1),
    grid: int = 7,
    span: float = 3.0,
) -> np.ndarray:
    """Latents z + s_i e_1 + s_j e_2 with s from −span to span, `(grid, grid, d)`.

    Args:
        z: the middle, `(d,)`.
        latent_dim: d.
        dims: two latent dimensions (e_1, e_2 their unit vectors), or two directions `(d,)`.
        grid: latents a side, odd, at least 3.
        span: the largest s.

    Raises:
        InputError: a latent of another length, dimensions that do not exist or span no plane, an
            even or too small grid, a span that is not finite and positive.

    Example:
        >>> latent_grid([0.0, 5.0], latent_dim=2, grid=3, span=1.0)[2, 0]
        array([1., 4.], dtype=float32)
    """
    z = np.asarray(z, np.float32)
    if z.shape != (latent_dim,) or not np.all(np.isfinite(z)):
        raise InputError(f"expected one finite latent z ({latent_dim},), received {_brief(z)}")
    if not isinstance(grid, numbers.Integral) or grid < 3 or grid % 2 == 0:
        raise InputError(f"expected an odd grid ≥ 3, so that z is its middle, received {grid!r}")
    if not 0 < span < math.inf:
        raise InputError(f"expected a finite span > 0, received span={span!r}")
    down, right = _directions(dims, latent_dim)
    half = grid // 2
    s = (span / half) * np.arange(-half, half + 1)  # unlike linspace exactly 0 in the middle
    return (z + s[:, None, None] * down + s[None, :, None] * right).astype(np.float32)


def _directions(
    dims: Sequence[int] | Sequence[np.ndarray], latent_dim: int
) -> tuple[np.ndarray, np.ndarray]:
    if len(dims) != 2:
        raise InputError(f"expected two latent dimensions or directions, received {len(dims)}")
    if all(isinstance(dim, numbers.Integral) for dim in dims):
        if dims[0] == dims[1] or not all(0 <= dim < latent_dim for dim in dims):
            raise InputError(
                f"expected two different dims from 0 to {latent_dim - 1}, received {tuple(dims)}"
            )
        down, right = np.eye(latent_dim)[np.asarray(dims)]
        return down, right
    shapes = [np.shape(dim) for dim in dims]
    if shapes != [(latent_dim,)] * 2:
        raise InputError(
            f"expected two ints or two directions ({latent_dim},) as dims, received shapes {shapes}"
        )
    directions = np.asarray(dims, np.float64)
    if not np.all(np.isfinite(directions)) or np.linalg.matrix_rank(directions) < 2:
        raise InputError("expected two finite directions that are not parallel as dims")
    return tuple(directions)


def _brief(z: np.ndarray) -> str:
    return f"shape {z.shape}" if np.all(np.isfinite(z)) else "NaN or infinity"
