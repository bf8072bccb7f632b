import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.inversion import directions
from keras_filtergan.inversion.directions import principal_directions

IMAGES = np.random.default_rng(0).uniform(0.2, 0.8, (3, 12, 12, 1)).astype("float32")


@pytest.fixture
def generator(gan):
    """One whose kernels depend on the latent as a trained one's do."""
    rng = np.random.default_rng(1)
    gan.generator.mean.assign(rng.normal(0, 0.1, gan.generator.mean.shape))
    return gan.generator


def jacobians(target, generator, image, z):
    """∂a/∂z and ∂a/∂x of one image, written out in full."""
    image, z = tf.constant(image[None]), tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch([image, z])
        maps = target.activations(target.features(image), generator(z[None])[0])
        maps = tf.reshape(maps, [-1])
    by_image, by_latent = tape.jacobian(maps, [image, z])
    return by_latent.numpy(), by_image.numpy().reshape(len(maps), -1)


@pytest.mark.onednn
def test_equals_the_dense_generalised_eigenproblem(target, generator, monkeypatch):
    monkeypatch.setattr(directions, "ITERATIONS", 300)
    z = np.array([0.3, -0.2, 0.5], "float32")
    found = principal_directions(target, generator, IMAGES, z)
    noise = tf.random.stateless_normal(IMAGES.shape[1:], seed=[0, 0]).numpy().ravel()
    whole, part = np.zeros((3, 3)), np.zeros((3, 3))
    for image in IMAGES:
        a, b = (m.astype("float64") for m in jacobians(target, generator, image, z))
        damping = directions.DAMPING * np.sum((b @ noise) ** 2) / np.sum(noise**2)
        projection = b @ np.linalg.solve(b.T @ b + damping * np.eye(b.shape[1]), b.T)
        whole += a.T @ a
        part += a.T @ projection @ a
    values, vectors = scipy.linalg.eigh(part, whole)
    np.testing.assert_allclose(found.explained, values[::-1], rtol=1e-2)
    for mine, theirs in zip(found.vectors, vectors.T[::-1], strict=True):
        cosine = abs(mine @ theirs) / np.linalg.norm(theirs)
        assert cosine == pytest.approx(1.0, abs=1e-2)


def test_shares_lie_between_nothing_and_all_and_fall(target, generator):
    found = principal_directions(target, generator, IMAGES)
    assert np.all(np.diff(found.explained) <= 0)
    assert found.explained[-1] > 0
    assert found.explained[0] < 1
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1, rtol=1e-5)


def test_a_latent_without_effect_is_refused(target, generator):
    generator.latent_in.kernel.assign(tf.zeros_like(generator.latent_in.kernel))
    with pytest.raises(InputError, match="depend on every latent dimension"):
        principal_directions(target, generator, IMAGES)


@pytest.mark.slow
def test_images_in_turns_give_what_all_at_once_give(target, generator, monkeypatch):
    whole = principal_directions(target, generator, IMAGES)
    monkeypatch.setattr(directions, "images_at_once", lambda *_, **__: 1)
    turns = principal_directions(target, generator, IMAGES)
    np.testing.assert_allclose(turns.explained, whole.explained, rtol=1e-3)
    for one, other in zip(turns.vectors, whole.vectors, strict=True):
        np.testing.assert_allclose(abs(one @ other), 1, atol=1e-3)
