import numpy as np
import pytest
from scipy.spatial import geometric_slerp

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.latents.paths import spherical, straight


def points(k=4, d=5):
    return np.random.default_rng(0).standard_normal((k, d))


@pytest.mark.parametrize("way", [straight, spherical])
def test_the_points_are_on_the_way(way):
    path = way(points(), frames=7)
    assert path.shape == (22, 5)
    np.testing.assert_allclose(path[::7], points(), atol=1e-6)


def test_straight_steps_are_equal():
    steps = np.diff(straight(points(2), frames=9), axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-6)


def test_arcs_are_scipys():
    a, b = points(2)
    path = spherical([a, b], frames=8)
    norms = np.linalg.norm(path, axis=1)
    expected = geometric_slerp(a / np.linalg.norm(a), b / np.linalg.norm(b), np.linspace(0, 1, 9))
    np.testing.assert_allclose(path / norms[:, None], expected, atol=1e-6)
    np.testing.assert_allclose(norms, np.linspace(norms[0], norms[-1], 9), atol=1e-5)


def test_an_arc_between_nearly_the_same_directions():
    path = spherical([[1.0, 0.0], [2.0, 1e-9]], frames=4)
    np.testing.assert_allclose(path[:, 0], [1, 1.25, 1.5, 1.75, 2], atol=1e-6)
    np.testing.assert_array_equal(spherical([[1.0, 2.0]] * 2, 3), np.float32([[1, 2]] * 4))


def test_bad_input():
    with pytest.raises(InputError, match="at least two finite latents"):
        straight([[1.0, 2.0]])
    with pytest.raises(InputError, match="at least 1 frame a way, received 0"):
        spherical(points(), frames=0)
    with pytest.raises(InputError, match="0 has no direction"):
        spherical([[0.0, 0.0], [1.0, 0.0]])
    with pytest.raises(InputError, match="0 and 1 are: no arc between them is the shortest"):
        spherical([[1.0, 1.0], [-2.0, -2.0]])
