import numpy as np
import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.inversion.walks import Walk, explained_fraction, latent_grid, pixel_distance


def a_walk() -> Walk:
    """One image, 3 × 3 cells, 2 steps; in the first cell step 1 is best, elsewhere step 2."""
    activation = np.zeros((3, 1, 3, 3))
    activation[0], activation[1], activation[2] = 0.4, 0.3, 0.1
    prior = np.zeros((3, 1, 3, 3))
    prior[2, 0, 0, 0] = 0.5
    activation[:, 0, 1, 1] = 0.0  # the middle: nothing to explain
    return Walk.of_inversion(
        images=np.full((1, 3, 3, 2, 2, 1), 0.75),
        latents=latent_grid([0.0, 0.0], 2, grid=3),
        start=np.full((1, 2, 2, 1), 0.5),
        history={"activation": activation, "prior": prior, "total": activation + prior},
        energy=np.array([10.0]),
    )


def test_measures_of_a_walk_by_hand():
    walk = a_walk()
    np.testing.assert_allclose(walk.error_before[0], [[4, 4, 4], [4, 0, 4], [4, 4, 4]])
    np.testing.assert_allclose(walk.error_after[0], [[3, 1, 1], [1, 0, 1], [1, 1, 1]])
    assert walk.explained_fraction == pytest.approx(1 - 10 / 32)
    assert walk.pixel_distance == pytest.approx(0.5)


def test_explained_fraction_by_hand():
    # activations of two values: the change of kernels takes (1, 2) to (4, 6), the image to (1, 4)
    wanted, before, after = np.array([1, 2]), np.array([4, 6]), np.array([1, 4])
    squared = [np.sum((a - wanted) ** 2) for a in (before, after)]
    assert squared == [25, 4]
    assert explained_fraction([squared[0]], [squared[1]]) == pytest.approx(1 - 4 / 25)
    # the errors are added up first: a large change counts more than a small one
    assert explained_fraction([1.0, 99.0], [1.0, 0.0]) == pytest.approx(0.99)


def test_explained_fraction_at_its_ends():
    assert explained_fraction(np.ones((2, 3, 3)), np.zeros((2, 3, 3))) == 1.0
    assert explained_fraction(np.ones((2, 3, 3)), np.ones((2, 3, 3))) == 0.0
    assert np.isnan(explained_fraction(np.zeros(4), np.zeros(4)))
    with pytest.raises(InputError, match=r"of one shape, received \(2,\) before, \(3,\) after"):
        explained_fraction(np.ones(2), np.ones(3))


def test_pixel_distance_by_hand():
    start = np.array([[3.0, 4.0], [0.0, 0.0]])[None, :, :, None]  # norm 5
    moved = start + np.array([[0.0, 0.0], [0.0, 2.0]])[None, :, :, None]
    assert pixel_distance(moved, start) == pytest.approx(2 / 5)
    both = np.stack([moved, start])  # a batch: distances 0.4 and 0
    assert pixel_distance(both, start) == pytest.approx(0.2)


def test_black_images_do_not_count():
    start = np.stack([np.zeros((2, 2, 1)), np.ones((2, 2, 1))])
    assert pixel_distance(start + 0.5, start) == pytest.approx(0.5)
    assert np.isnan(pixel_distance(start[:1] + 0.5, start[:1]))


def test_latents_along_two_dimensions():
    latents = latent_grid([1.0, 2.0, 3.0], 3, dims=(2, 0), grid=5, span=4.0)
    assert latents.shape == (5, 5, 3)
    np.testing.assert_array_equal(latents[2, 2], [1, 2, 3])
    np.testing.assert_array_equal(latents[0, 2], [1, 2, -1])  # rows: the first dimension
    np.testing.assert_array_equal(latents[2, 3], [3, 2, 3])  # columns: the second
    np.testing.assert_array_equal(latents[4, 0], [-3, 2, 7])


def test_latents_along_two_directions():
    directions = [np.array([0.6, 0.8, 0.0]), np.array([0.0, 0.0, 2.0])]
    latents = latent_grid(np.zeros(3), 3, dims=directions, grid=3, span=1.0)
    np.testing.assert_allclose(latents[2, 0], [0.6, 0.8, -2.0], rtol=1e-6)
    by_number = latent_grid(np.zeros(3), 3, dims=(0, 2), grid=3)
    np.testing.assert_array_equal(by_number, latent_grid(np.zeros(3), 3, np.eye(3)[[0, 2]], grid=3))


@pytest.mark.parametrize("grid", [3, 7, 9, 21, 33])
@pytest.mark.parametrize("span", [0.1, 3.0, 1 / 3])
def test_the_middle_is_exactly_z(grid, span):
    z = np.float32([0.3, -1.7])
    latents = latent_grid(z, 2, grid=grid, span=span)
    np.testing.assert_array_equal(latents[grid // 2, grid // 2], z)
    assert latents[..., 0].max() - z[0] == pytest.approx(span, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"z": np.zeros(3)}, r"latent z \(4,\), received shape \(3,\)"),
        ({"z": np.zeros((1, 4))}, r"received shape \(1, 4\)"),
        ({"z": np.full(4, np.nan)}, "received NaN or infinity"),
        ({"dims": (0, 4)}, r"from 0 to 3, received \(0, 4\)"),
        ({"dims": (-1, 0)}, r"received \(-1, 0\)"),
        ({"dims": (2, 2)}, r"two different dims .* received \(2, 2\)"),
        ({"dims": (0, 1, 2)}, "received 3"),
        ({"dims": [np.ones(4), np.ones(3)]}, "received shapes"),
        ({"dims": (0.5, 1.5)}, "received shapes"),
        ({"dims": [np.ones(4), 2 * np.ones(4)]}, "not parallel"),
        ({"dims": [np.ones(4), np.full(4, np.inf)]}, "finite directions"),
        ({"grid": 4}, "odd grid ≥ 3.* received 4"),
        ({"grid": 1}, "received 1"),
        ({"grid": 7.0}, "received 7.0"),
        ({"span": 0.0}, "span > 0, received span=0.0"),
        ({"span": float("nan")}, "received span=nan"),
        ({"span": float("inf")}, "received span=inf"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        latent_grid(**{"z": np.zeros(4), "latent_dim": 4, **arguments})
