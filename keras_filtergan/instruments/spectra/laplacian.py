"""Kernels as sums of vibrations of their grid: are they smooth, or rough from tap to tap?"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class LaplacianBasis:
    """Eigenvectors Ψ_λ of the graph Laplacian of a grid of taps, each tied to its neighbours.

    Ψ_0 is constant: a kernel made of it alone averages over space. The larger λ, the more a
    vector changes from tap to tap.

    Args:
        rows, columns: taps of the grid.

    Example:
        >>> LaplacianBasis(3, 3).eigenvalues
        array([0., 1., 2., 3., 4., 6.])

    Reference:
        Tomasini, Petrini, Cagnetta, Wyart (2022), "How deep convolutional neural networks lose
        spatial information with training" (arXiv 2210.01506), on pooling in space.
    """

    rows: int
    columns: int

    @property
    def laplacian(self) -> np.ndarray:
        """L = degrees − neighbours, `(taps, taps)`, taps in the order of rows."""
        paths = [_path(taps) for taps in (self.rows, self.columns)]
        return np.kron(paths[0], np.eye(self.columns)) + np.kron(np.eye(self.rows), paths[1])

    @property
    def eigenvalues(self) -> np.ndarray:
        """The different λ, rising."""
        return np.unique(self._solved()[0])

    @property
    def multiplicity(self) -> np.ndarray:
        """Number of eigenvectors of each λ."""
        return np.unique(self._solved()[0], return_counts=True)[1]

    def components(self, kernels: np.ndarray) -> np.ndarray:
        """c_λ = ⟨(w_ch · Ψ_λ)²⟩_ch, the mean over channel pairs and over the eigenvectors of λ.

        Args:
            kernels: `(..., rows, columns, cin, cout)`.

        Returns:
            One number for each of `eigenvalues`; kernels of independent taps have all alike.
        """
        values, vectors = self._solved()
        taps = np.asarray(kernels, np.float64)
        taps = np.moveaxis(taps, (-4, -3), (-2, -1)).reshape(-1, self.rows * self.columns)
        squares = np.square(taps @ vectors).mean(axis=0)
        return np.array([squares[values == value].mean() for value in np.unique(values)])

    def roughness(self, kernels: np.ndarray) -> float:
        """⟨w · L w⟩ / ⟨w · w⟩: the mean λ of the kernels, whatever their size.

        Returns:
            From 0 (each kernel constant) to the largest λ; kernels of independent taps have the
            mean of all eigenvalues, 8/3 on 3 × 3. NaN if all kernels are 0.
        """
        parts = self.multiplicity * self.components(kernels)
        return float(self.eigenvalues @ parts / parts.sum()) if parts.sum() > 0 else np.nan

    def _solved(self) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues, those that are equal as equal floats, and their vectors as columns."""
        values, vectors = np.linalg.eigh(self.laplacian)
        return np.abs(np.round(values, 6)), vectors


def _path(taps: int) -> np.ndarray:
    """Graph Laplacian of taps in a row."""
    neighbours = np.eye(taps, k=1) + np.eye(taps, k=-1)
    return np.diag(neighbours.sum(axis=1)) - neighbours
