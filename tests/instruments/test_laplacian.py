import numpy as np
import pytest

from keras_filtergan.instruments.spectra.laplacian import LaplacianBasis


def neighbours(rows, columns):
    """The Laplacian of a grid, one pair of taps at a time."""
    places = [(r, c) for r in range(rows) for c in range(columns)]
    matrix = np.zeros((len(places), len(places)))
    for i, (r, c) in enumerate(places):
        for j, (s, d) in enumerate(places):
            if abs(r - s) + abs(c - d) == 1:
                matrix[i, j] = -1
                matrix[i, i] += 1
    return matrix


@pytest.mark.parametrize("grid", [(3, 3), (2, 5), (1, 4), (5, 5), (1, 1)])
def test_the_laplacian_of_the_grid(grid):
    np.testing.assert_array_equal(LaplacianBasis(*grid).laplacian, neighbours(*grid))


def test_eigenvalues_of_three_by_three_by_hand():
    """Sums of two of 0, 1 and 3, which are those of three taps in a row."""
    basis = LaplacianBasis(3, 3)
    np.testing.assert_allclose(basis.eigenvalues, [0, 1, 2, 3, 4, 6], atol=1e-6)
    np.testing.assert_array_equal(basis.multiplicity, [1, 2, 1, 2, 2, 1])


def test_components_by_hand():
    """A constant kernel has c_0 alone: (9 · 2 / 3)² = 36; an edge across is an eigenvector of 1."""
    kernels = np.zeros((3, 3, 2, 1))
    kernels[:, :, 0, 0] = 2.0
    kernels[:, :, 1, 0] = [[1], [0], [-1]]
    found = LaplacianBasis(3, 3).components(kernels)
    # the mean over two kernels; that of λ = 1 also over its two eigenvectors: ‖edge‖² = 6
    np.testing.assert_allclose(found, [36 / 2, 6 / 2 / 2, 0, 0, 0, 0], atol=1e-9)


@pytest.mark.parametrize("shape", [(3, 3, 4, 5), (5, 2, 3, 2), (7, 3, 3, 1, 6)])
def test_the_components_hold_all_of_the_energy(shape):
    kernels = np.random.default_rng(0).normal(size=shape)
    basis = LaplacianBasis(*shape[-4:-2])
    total = np.square(kernels).sum(axis=(-4, -3)).mean()
    assert basis.multiplicity @ basis.components(kernels) == pytest.approx(total)


def test_components_do_not_depend_on_how_an_eigenspace_is_spanned():
    kernels = np.random.default_rng(0).normal(size=(3, 3, 6, 5))
    basis = LaplacianBasis(3, 3)
    turned = basis.components(np.swapaxes(kernels, 0, 1))
    np.testing.assert_allclose(turned, basis.components(kernels))


def test_roughness_is_the_square_of_the_slope():
    """w · L w is the sum of squared differences of neighbours."""
    kernels = np.random.default_rng(1).normal(size=(3, 4, 3, 2))
    slopes = sum(np.square(np.diff(kernels, axis=axis)).sum() for axis in (0, 1))
    expected = slopes / np.square(kernels).sum()
    assert LaplacianBasis(3, 4).roughness(kernels) == pytest.approx(expected)


def test_roughness_of_known_kernels():
    basis = LaplacianBasis(3, 3)
    assert basis.roughness(np.ones((3, 3, 2, 2))) == pytest.approx(0, abs=1e-9)
    white = np.random.default_rng(0).normal(size=(3, 3, 100, 100))
    assert basis.roughness(white) == pytest.approx(8 / 3, rel=0.02)
    assert np.isnan(basis.roughness(np.zeros((3, 3, 1, 1))))
