import keras
import numpy as np
import pytest
import scipy.ndimage

from keras_filtergan.displacement import edge_normals
from keras_filtergan.gan.bending import ImageBending

pytestmark = pytest.mark.onednn

ZERO = np.zeros((1, 2), "float32")
LATENTS = np.random.default_rng(0).normal(size=(5, 2)).astype("float32")


def images(channels=1, side=14):
    noise = np.random.default_rng(1).uniform(size=(5, side, side, channels))
    return scipy.ndimage.gaussian_filter(noise, (0, 2, 2, 0)).astype("float32")


def bending(bend=0.0, stroke=0.0):
    """A T of two dimensions with chosen strengths: `bend` of each lattice point, and `stroke`."""
    model = ImageBending(latent_dim=2)
    model.bend.assign(np.broadcast_to(bend, model.bend.shape))
    model.stroke.assign(np.broadcast_to(stroke, 2))
    return model


@pytest.mark.parametrize("channels", [1, 3])
def test_the_identity_without_a_step(channels):
    x, model = images(channels), ImageBending(latent_dim=2, seed=3)
    model.bend.assign(10 * model.bend)
    np.testing.assert_array_equal(model((x, LATENTS, LATENTS)), x)
    assert np.abs(model((x, ZERO, LATENTS)) - x).max() > 0.01


def test_a_constant_bend_is_a_shift_as_far_as_the_step():
    """A lattice value of 1 is a seventh of the side, here two pixels."""
    x, model = images(), bending(bend=[0.5, -1.0])  # 1 down and 2 left, in either dimension
    step = np.array([[1.0, 0.0]], "float32")
    shifted = model((x, ZERO, np.repeat(step, 5, axis=0))).numpy()
    np.testing.assert_allclose(shifted[:, :-1, 2:], x[:, 1:, :-2], atol=1e-5)
    twice = model((x, ZERO, np.repeat(2 * step, 5, axis=0))).numpy()
    np.testing.assert_allclose(twice[:, :-2, 4:], x[:, 2:, :-4], atol=1e-5)
    back = model((x, step, np.zeros((5, 2), "float32"))).numpy()
    np.testing.assert_allclose(back[:, 1:, :-2], x[:, :-1, 2:], atol=1e-5)


def disc(radius, side=28):
    """A disc with an edge two pixels wide."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.clip(0.5 + (radius - np.hypot(y, x)) / 2, 0, 1)[None, :, :, None].astype("float32")


def test_stroke_makes_thicker_one_way_and_thinner_the_other():
    """A stroke value of 1 moves edges by 3 pixels at a side of 28; half a step, by 1.5."""
    x, model = disc(7.0), bending(stroke=[0.5, 0.0])
    for sign in (1, -1):
        moved = model((x, ZERO, np.array([[sign, 0.0]], "float32"))).numpy()
        radius = np.sqrt(moved.sum() / np.pi)
        assert radius == pytest.approx(7.0 + sign * 1.5, abs=0.25)
        assert moved.max() == pytest.approx(1.0, abs=0.02)
        assert moved[0, 0, 0, 0] == 0


def test_normals_point_to_the_brighter_side_and_vanish_on_flat_ground():
    ramp = np.tile(np.linspace(0, 1, 12, dtype="float32")[:, None], (1, 12))[None, :, :, None]
    down, right = np.moveaxis(edge_normals(ramp)[0, 4:-4, 4:-4].numpy(), -1, 0)
    slope = 1 / 11
    np.testing.assert_allclose(down, slope / np.hypot(slope, 0.05), rtol=1e-4)
    np.testing.assert_allclose(right, 0, atol=1e-6)
    np.testing.assert_allclose(edge_normals(np.full((1, 9, 9, 3), 0.4, "float32")), 0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (2, 2)])
def test_images_of_hardly_any_pixels(shape):
    x = np.random.default_rng(0).uniform(size=(5, *shape, 1)).astype("float32")
    assert ImageBending(latent_dim=2)((x, ZERO, LATENTS)).shape == x.shape


def test_alikeness_is_the_squared_cosine_between_changes():
    """Against changes by a small step; two equal dimensions have 1, two orthogonal shifts less."""
    x, model = images(side=28), ImageBending(latent_dim=2, seed=3)
    eps = 1e-2
    steps = eps * np.eye(2, dtype="float32")
    inner = np.s_[:, 3:-3, 3:-3]
    changes = []
    for step in steps:
        ahead, back = (model((x, ZERO, np.repeat(s * step[None], 5, 0))) for s in (1, -1))
        changes.append((ahead - back)[inner].numpy().ravel())
    cosine = changes[0] @ changes[1] / np.linalg.norm(changes[0]) / np.linalg.norm(changes[1])
    assert float(model.alikeness(x)) == pytest.approx(cosine**2, abs=0.05)
    assert float(bending(bend=[0.1, 0.0]).alikeness(x)) == pytest.approx(1.0, abs=1e-3)
    apart = bending()
    apart.bend.assign(0.1 * np.eye(2)[:, None, None] * np.ones(apart.bend.shape))
    assert float(apart.alikeness(x)) < 0.1
    assert float(ImageBending(latent_dim=1).alikeness(x)) == 0


def test_saved_and_loaded_it_is_the_same(tmp_path):
    model, x = ImageBending(latent_dim=2, seed=4), images()
    expected = model((x, ZERO, LATENTS))
    model.save(tmp_path / "transformation.keras")
    loaded = keras.models.load_model(tmp_path / "transformation.keras")
    np.testing.assert_array_equal(loaded((x, ZERO, LATENTS)), expected)
    assert loaded.get_config() == model.get_config()
