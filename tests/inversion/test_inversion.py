import keras
import numpy as np
import pytest
import scipy.ndimage
from toys import D, LinearGenerator, small_target, some_images

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.images.parametrizations import Deformation, Fourier, Pixels
from keras_filtergan.images.priors import (
    WALK_TOTAL_VARIATION,
    MultiscaleEdge,
    NoPrior,
    TotalVariation,
)
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.walks import pixel_distance

pytestmark = pytest.mark.onednn


@pytest.fixture(scope="module")
def walk(target, generator):
    return Inverter(target, generator, steps=60).walk(some_images(), [0.1, -0.2, 0.3], grid=3)


def convolution_matrix(kernel: np.ndarray, h: int, w: int) -> np.ndarray:
    """SAME convolution of `(h, w, 1)` as a matrix `(h * w * cout, h * w)`, by a NumPy loop."""
    kh, kw, _, cout = kernel.shape
    matrix = np.zeros((h, w, cout, h, w))
    for i in range(h):
        for j in range(w):
            for a in range(kh):
                for b in range(kw):
                    y, x = i + a - kh // 2, j + b - kw // 2
                    if 0 <= y < h and 0 <= x < w:
                        matrix[i, j, :, y, x] = kernel[a, b, 0]
    return matrix.reshape(h * w * cout, h * w)


@pytest.mark.parametrize("parametrization", [Pixels(), Fourier(decay=0.5)], ids=repr)
def test_where_the_layer_sees_the_image_the_answer_is_that_of_least_squares(parametrization):
    # layer 1: nothing before the convolution, so the best image solves a linear system
    classifier = keras.Sequential(
        [keras.Input((6, 6, 1)), keras.layers.Conv2D(4, 3, padding="same"), keras.layers.Flatten()]
    )
    target = FrozenTarget(classifier, 1)
    rng = np.random.default_rng(0)
    kernels = rng.normal(size=(3, 3, 3, 1, 4)).astype("float32")
    goal = rng.uniform(0.3, 0.7, size=(3, 36))
    wanted, best = np.zeros((3, 6, 6, 4)), np.zeros((3, 6, 6, 1))
    for i in range(3):
        matrix = convolution_matrix(kernels[i], 6, 6)
        wanted[i] = (matrix @ goal[i] + rng.normal(scale=0.1, size=144)).reshape(6, 6, 4)
        best[i] = np.linalg.lstsq(matrix, wanted[i].ravel(), rcond=None)[0].reshape(6, 6, 1)
    assert best.min() > 0  # the range of pixels does not matter here
    assert best.max() < 1
    inverter = Inverter(target, None, NoPrior(), parametrization, steps=600, learning_rate=0.05)
    found, _ = inverter.invert(np.full((3, 6, 6, 1), 0.5), wanted, kernels)
    np.testing.assert_allclose(found, best, atol=2e-3)


def test_invert_adds_the_prior_itself(target):
    images = some_images()
    wanted = target.activations(target.features(images)).numpy()
    prior = TotalVariation(beta=2.0, tv_weight=3.0)
    _, history = Inverter(target, None, prior, steps=3).invert(images, wanted)
    np.testing.assert_allclose(history["prior"][0], prior(images), rtol=1e-6)
    np.testing.assert_allclose(history["activation"][0], 0.0, atol=1e-10)
    np.testing.assert_allclose(history["total"], history["activation"] + history["prior"])
    assert history["total"].shape == (4, 2)


@pytest.mark.parametrize(
    ("prior", "parametrization"),
    [
        (TotalVariation(), Pixels()),
        (MultiscaleEdge(), Fourier()),
        (NoPrior(), Deformation(grid=4)),
    ],
    ids=repr,
)
def test_every_image_of_a_walk_is_better_than_the_start(target, generator, prior, parametrization):
    inverter = Inverter(target, generator, prior, parametrization, steps=30)
    walk = inverter.walk(some_images(), np.zeros(D), grid=3)
    others = np.arange(9).reshape(3, 3) != 4
    total = walk.history["total"][:, :, others]
    assert np.all(total.min(axis=0) < total[0])
    assert 0 < walk.explained_fraction <= 1
    assert walk.images.min() >= 0
    assert walk.images.max() <= 1


def test_errors_of_a_walk_are_those_of_its_images(target, generator, walk):
    for n in range(2):
        x = walk.start[n : n + 1]
        wanted = target.activations(target.features(x), generator(walk.latents[1, 1][None])[0])
        for i in range(3):
            for j in range(3):
                kernels = generator(walk.latents[i, j][None])[0]
                for image, error in (
                    (x, walk.error_before[n, i, j]),
                    (walk.images[n, i, j][None], walk.error_after[n, i, j]),
                ):
                    found = target.activations(target.features(image), kernels)
                    expected = np.sum((found - wanted).numpy() ** 2)
                    assert error == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_shapes_of_a_walk(walk):
    assert walk.images.shape == (2, 3, 3, 12, 12, 1)
    assert walk.latents.shape == (3, 3, D)
    assert {key: rows.shape for key, rows in walk.history.items()} == {
        key: (61, 2, 3, 3) for key in ("activation", "prior", "total")
    }
    np.testing.assert_array_equal(walk.start, some_images())


@pytest.mark.parametrize("prior", [TotalVariation(), MultiscaleEdge(), NoPrior()], ids=repr)
def test_the_middle_of_a_walk_is_the_image_itself(target, generator, prior):
    walk = Inverter(target, generator, prior, steps=20).walk(some_images(), np.ones(D), grid=3)
    np.testing.assert_allclose(walk.images[:, 1, 1], walk.start, atol=1e-6)
    np.testing.assert_allclose(walk.history["activation"][0, :, 1, 1], 0.0, atol=1e-10)
    np.testing.assert_array_equal(walk.error_before[:, 1, 1] < 1e-6 * walk.error_before.max(), True)


def test_the_plain_prior_of_the_paper_moves_the_middle(target, generator):
    inverter = Inverter(target, generator, TotalVariation(), steps=20, excess=False)
    walk = inverter.walk(some_images(), np.zeros(D), grid=3)
    np.testing.assert_allclose(
        walk.history["prior"][0, :, 0, 0], TotalVariation()(walk.start), rtol=1e-6
    )
    assert np.abs(walk.images[:, 1, 1] - walk.start).mean() > 0.01  # noise is smoothed


def test_an_image_alone_ends_where_it_ends_in_a_batch(target, generator, walk):
    inverter = Inverter(target, generator, steps=60)
    alone = inverter.walk(some_images()[1:], [0.1, -0.2, 0.3], grid=3)
    # rounding grows where the prior has kinks
    np.testing.assert_allclose(alone.images[0], walk.images[1], atol=1e-2)
    others = np.arange(9).reshape(3, 3) != 4  # in the middle there is only rounding to descend
    np.testing.assert_allclose(
        alone.history["total"][:, 0, others], walk.history["total"][:, 1, others], rtol=1e-3
    )


def test_batches_of_any_size_give_the_same_walk(target, generator, walk):
    turns = Inverter(target, generator, steps=60, batch_size=5)
    in_turns = turns.walk(some_images(), [0.1, -0.2, 0.3], grid=3)
    np.testing.assert_allclose(in_turns.images, walk.images, atol=1e-3)


def test_a_walk_is_an_inversion_for_each_cell(target, generator):
    images, z = some_images(), np.zeros(D)
    inverter = Inverter(target, generator, NoPrior(), steps=15)
    walk = inverter.walk(images, z, dims=(2, 0), grid=3, span=1.5)
    kernels = generator(np.array([[0.0, 0.0, -1.5]], "float32"))[0]  # up: dimension 2 at −1.5
    wanted = target.activations(target.features(images), generator(z[None].astype("float32"))[0])
    found, _ = inverter.invert(images, wanted.numpy(), kernels.numpy())
    np.testing.assert_allclose(walk.images[:, 0, 1], found, atol=1e-4)


def test_the_same_shapes_are_not_traced_again(target, generator):
    inverter = Inverter(target, generator, steps=2, batch_size=8)
    inverter.walk(some_images(), np.zeros(D), grid=3)  # 18 cells: three batches of 6
    assert inverter._compiled.experimental_get_tracing_count() == 1
    inverter.walk(some_images(seed=1), np.ones(D), dims=(1, 2), grid=3, span=1.0)
    assert inverter._compiled.experimental_get_tracing_count() == 1


def test_target_and_generator_are_not_changed():
    target = small_target(seed=3)
    generator = LinearGenerator(target)
    weights = [*target.classifier.weights, *generator.weights]
    before = [weight.numpy().copy() for weight in weights]
    inverter = Inverter(target, generator, steps=5)
    inverter.walk(some_images(), np.zeros(D), grid=3)
    for weight, value in zip(weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    assert inverter.target is target
    assert inverter.generator is generator


def test_colour_images():
    target = small_target(image_shape=(10, 14, 3), layer=1)
    inverter = Inverter(target, LinearGenerator(target), MultiscaleEdge(), Fourier(), steps=10)
    walk = inverter.walk(some_images(1, (10, 14, 3)), np.zeros(D), grid=3)
    assert walk.images.shape == (1, 3, 3, 10, 14, 3)
    assert walk.explained_fraction > 0.1


def drawing() -> np.ndarray:
    """One smooth stroke on a black ground, of the images' size."""
    h, w = some_images().shape[1:3]
    place = np.arange(w) - (w - 1) / 2
    stroke = np.exp(-(place**2) / 4) * (np.arange(h) % (h - 2) > 1)[:, None]
    return np.where(stroke > 0.2, stroke, 0.0)[None, :, :, None].astype("float32")


def test_what_a_walk_pays_is_the_excess_over_the_original(target, generator):
    """Around a black ground whatever is drawn there costs; the kept total holds just that."""
    walk = Inverter(target, generator, steps=30).walk(drawing(), [0.1, -0.2, 0.3], grid=3)

    def density(image):
        dx, dy = np.zeros_like(image), np.zeros_like(image)
        dx[:, :-1], dy[:-1] = np.diff(image, axis=1), np.diff(image, axis=0)
        return 5.0 * (np.sqrt(dx**2 + dy**2 + 1e-6) - 1e-3) + 4.0 * image

    allowed = scipy.ndimage.maximum_filter(density(walk.start[0]), (3, 3, 1), mode="nearest")
    paid = []
    for cell in np.ndindex(3, 3):
        kept = np.argmin(walk.history["total"][:, 0, *cell])
        paid.append(walk.history["prior"][(kept, 0, *cell)])
        expected = np.mean(np.maximum(density(walk.images[(0, *cell)]) - allowed, 0.0))
        assert paid[-1] == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert max(paid) > 1e-3


def test_an_image_is_found_back_from_its_own_activations(target, generator):
    """Without a prior of the user's the gentle one is taken, which leaves a drawing in place."""
    images = drawing()
    wanted = target.activations(target.features(images)).numpy()
    found, strong = (
        Inverter(target, generator, prior, steps=100).invert(images, wanted)[0]
        for prior in (None, WALK_TOTAL_VARIATION)
    )
    assert pixel_distance(found, images) < 0.3
    assert pixel_distance(strong, images) > 2 * pixel_distance(found, images)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "≥ 1, received steps=0"),
        ({"steps": 2.5}, "received steps=2.5"),
        ({"batch_size": 0}, "received batch_size=0"),
        ({"learning_rate": 0.0}, "learning_rate > 0, received 0.0"),
        ({"learning_rate": float("nan")}, "received nan"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(target, generator, settings, message):
    with pytest.raises(InputError, match=message):
        Inverter(target, generator, **settings)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((12, 12, 1)),
            r"images \(n, h, w, c\) of \(12, 12, 1\) each, received shape \(12, 12",
        ),
        (np.zeros((2, 12, 13, 1)), r"received shape \(2, 12, 13, 1\)"),
        (np.zeros((2, 12, 12, 3)), r"received shape \(2, 12, 12, 3\)"),
        (np.zeros((0, 12, 12, 1)), r"received shape \(0, 12, 12, 1\)"),
        (np.full((2, 12, 12, 1), 255.0), r"in \[0, 1\], received 255 to 255; give bytes as whole"),
        (np.full((2, 12, 12, 1), -0.1), "received -0.1 to -0.1"),
        (np.full((2, 12, 12, 1), np.nan), "received NaN"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_images_the_target_does_not_take_are_refused(target, generator, images, message):
    inverter = Inverter(target, generator)
    with pytest.raises(InputError, match=message):
        inverter.walk(images, np.zeros(D))
    with pytest.raises(InputError, match=message):
        inverter.invert(images, np.ones((2, *target.activation_shape)))


def test_activations_and_kernels_of_another_shape_are_refused(target, generator):
    images, inverter = some_images(), Inverter(target, generator)
    with pytest.raises(InputError, match=r"wanted activations \(2, 6, 6, 5\), received \(2, 6, 6,"):
        inverter.invert(images, np.ones((2, 6, 6, 4)))
    wanted = np.ones((2, 6, 6, 5))
    for kernels in (np.ones((3, 3, 6, 4)), np.ones((3, 3, 3, 6, 5))):
        with pytest.raises(InputError, match=r"kernels \(3, 3, 6, 5\) or \(2, 3, 3, 6, 5\), rec"):
            inverter.invert(images, wanted, kernels)


def test_a_latent_of_the_wrong_length_is_refused(target, generator):
    with pytest.raises(InputError, match=r"latent z \(3,\), received shape \(4,\)"):
        Inverter(target, generator).walk(some_images(), np.zeros(4))


def test_errors_that_are_not_finite_are_refused(target, generator):
    inverter = Inverter(target, generator, steps=1)
    wanted, kernels = np.ones((2, 6, 6, 5)), np.ones((3, 3, 6, 5))
    kernels[0] = np.nan
    with pytest.raises(InputError, match="expected a finite error at the start"):
        inverter.invert(some_images(), wanted, kernels)
    with pytest.raises(InputError, match="wanted activations that are not all 0"):
        inverter.invert(some_images(), np.zeros((2, 6, 6, 5)))


@pytest.mark.parametrize("jitter", [0, 1])
def test_a_step_ends_where_a_walk_has_its_cell(target, generator, jitter):
    inverter = Inverter(target, generator, steps=20, jitter=jitter)
    images, z = some_images(3), [0.1, -0.2, 0.3]
    walk = inverter.walk(images, z, grid=3, span=1.0)
    cells = [(0, 0), (1, 2), (2, 1)]
    latents = np.stack([walk.latents[cell] for cell in cells])
    found, history = inverter.step(images, z, latents)
    for i, cell in enumerate(cells):
        np.testing.assert_allclose(found[i], walk.images[i][cell], atol=1e-4)
        np.testing.assert_allclose(
            history["total"][:, i], walk.history["total"][:, i][:, *cell], rtol=1e-3, atol=1e-6
        )


def test_a_step_wants_a_latent_an_image(target, generator):
    inverter = Inverter(target, generator, steps=1)
    for z, latents in ((np.zeros(D), np.zeros((1, D))), (np.zeros(D + 1), np.zeros((2, D + 1)))):
        with pytest.raises(InputError, match=r"expected z \(3,\) and 2 latents like it"):
            inverter.step(some_images(2), z, latents)
