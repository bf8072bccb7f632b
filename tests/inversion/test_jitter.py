import numpy as np
import pytest
import tensorflow as tf
from toys import D, some_images

from keras_filtergan.errors import InputError
from keras_filtergan.images.jitter import Jitter
from keras_filtergan.images.parametrizations import Deformation, Pixels
from keras_filtergan.images.priors import WALK_TOTAL_VARIATION, NoPrior, TotalVariation
from keras_filtergan.inversion import mismatch
from keras_filtergan.inversion.descent import JUDGED_EVERY, descend
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.mismatch import Mismatch

Z = [0.1, -0.2, 0.3]
OTHERS = np.arange(9).reshape(3, 3) != 4  # the cells of a walk that are not z itself


@pytest.fixture(scope="module")
def shaken(target, generator):
    return Inverter(target, generator, steps=25, jitter=2).walk(some_images(), Z, grid=3)


def rolled(images: np.ndarray, down: int, right: int) -> np.ndarray:
    """The images moved by np.roll, and what came round at the edges blackened."""
    moved = np.roll(images, (down, right), axis=(1, 2))
    h, w = images.shape[1:3]
    rows, columns = np.arange(h) - down, np.arange(w) - right  # where each pixel came from
    moved[:, (rows < 0) | (rows >= h)] = 0.0
    moved[:, :, (columns < 0) | (columns >= w)] = 0.0
    return moved


def test_images_move_as_numpy_rolls_them_without_the_wrap():
    images = np.random.default_rng(0).uniform(0.1, 1, size=(3, 6, 9, 2)).astype("float32")
    jitter = Jitter(2, seed=5)
    for step in range(30):
        down, right = jitter.shift(step).numpy()
        np.testing.assert_array_equal(jitter(images, step), rolled(images, down, right))


def test_all_shifts_are_equally_frequent_and_those_of_a_seed():
    shifts = [tuple(Jitter(1, seed=3).shift(step).numpy()) for step in range(1800)]
    found, counts = np.unique(shifts, axis=0, return_counts=True)
    assert found.tolist() == [[y, x] for y in (-1, 0, 1) for x in (-1, 0, 1)]
    assert np.abs(counts - 200).max() < 60  # four standard deviations
    again = [tuple(Jitter(1, seed=3).shift(step).numpy()) for step in range(50)]
    other = [tuple(Jitter(1, seed=4).shift(step).numpy()) for step in range(50)]
    assert again == shifts[:50] != other


def test_every_step_has_the_shift_of_its_number():
    jitter = Jitter(2, seed=6)
    for step in range(20):
        np.testing.assert_array_equal(jitter.shifts[jitter.number(step)], jitter.shift(step))


@pytest.mark.onednn
@pytest.mark.parametrize("limit", [0, 2**20], ids=["step by step", "all at once"])
def test_the_guide_is_the_error_of_images_that_numpy_moves(target, generator, monkeypatch, limit):
    monkeypatch.setattr(mismatch, "LARGEST_TABLE", limit)
    x, found = some_images(), some_images(seed=3)
    kernels = generator(np.array([[0.0] * D, [-3.0, 0.0, 0.0]], "float32"))
    jitter = Jitter(2, seed=1)
    wanted = target.activations(target.features(x), kernels[0])
    error = Mismatch(target, kernels[1], wanted, lambda images: tf.zeros(len(x)))
    guide = error.shifted_alike(tf.constant(x), kernels[0], jitter)
    for step in range(6):
        down, right = jitter.shift(step).numpy()
        a, b = (
            target.activations(target.features(rolled(images, down, right)), one).numpy()
            for images, one in ((x, kernels[0]), (found, kernels[1]))
        )
        expected = np.sum((a - b) ** 2, axis=(1, 2, 3)) / np.sum(a**2, axis=(1, 2, 3))
        np.testing.assert_allclose(guide(tf.constant(found), step), expected, rtol=1e-4)


def test_with_a_guide_the_objective_is_computed_every_few_steps_and_at_the_last():
    start = np.full((1, 2, 2, 1), 0.1, "float32")

    def bright(images):
        return {"light": -tf.reduce_mean(images, axis=[1, 2, 3])}

    def guide(images, step):
        return -tf.reduce_mean(images, axis=[1, 2, 3])

    steps = 2 * JUDGED_EVERY + 2
    led = tf.function(lambda x: descend(bright, x, Pixels(), steps, 0.02, guide))(start)
    plain = tf.function(lambda x: descend(bright, x, Pixels(), steps, 0.02))(start)
    due = [step - step % JUDGED_EVERY for step in range(steps)] + [steps]
    expected = plain.history["light"].numpy()[due]
    np.testing.assert_allclose(led.history["light"], expected, rtol=1e-5)
    assert len(np.unique(expected)) == 4


def test_no_pixels_are_no_shift():
    images = some_images()
    np.testing.assert_array_equal(Jitter(0)(images, 3), images)


def test_a_guide_says_where_to_go_and_the_objective_what_was_good():
    """By hand: Adam's first steps have the length of the rate, in the direction of the guide."""
    start = np.full((2, 3, 3, 1), 0.5, "float32")

    def darker(images):
        return {"light": tf.reduce_mean(images, axis=[1, 2, 3])}

    def alternating(images, step):  # brighter in step 0, darker in all others
        sign = tf.where(tf.equal(step, 0), -1.0, 1.0)
        return 100.0 * sign * tf.reduce_mean(images, axis=[1, 2, 3])

    run = tf.function(lambda x: descend(darker, x, Pixels(), 1, 0.1, alternating))
    result = run(tf.constant(start))
    np.testing.assert_allclose(result.history["light"], [[0.5, 0.5], [0.6, 0.6]], rtol=1e-5)
    np.testing.assert_array_equal(result.images, start)  # brighter is worse: the start is kept


@pytest.mark.onednn
def test_the_first_step_goes_down_the_error_of_the_shifted_pair(target, generator):
    """The gradient, in NumPy's shifts: Adam's first step is rate · g / (|g| + ε / √(1 − β₂))."""
    x, rate = some_images(1), 1e-3
    prior = TotalVariation(tv_weight=5.0)
    settings = {"steps": 1, "learning_rate": rate, "excess": False, "jitter": 2, "seed": 1}
    inverter = Inverter(target, generator, prior, **settings)
    down, right = Jitter(2, seed=1).shift(0).numpy()
    assert (down, right) != (0, 0)
    kernels = generator(np.array([[0.0] * D, [-3.0, 0.0, 0.0]], "float32"))
    features = target.features(rolled(x, down, right))
    wanted = target.activations(features, kernels[0])
    with tf.GradientTape() as tape:
        moved = tf.constant(rolled(x, down, right))
        tape.watch(moved)
        found = target.activations(target.features(moved), kernels[1])
        error = tf.reduce_sum(tf.square(found - wanted)) / tf.reduce_sum(tf.square(wanted))
    gradient = rolled(tape.gradient(error, moved).numpy(), -down, -right)
    with tf.GradientTape() as tape:
        still = tf.constant(x)
        tape.watch(still)
        smoothness = prior(still)
    gradient += tape.gradient(smoothness, still)
    expected = np.clip(x - rate * gradient / (np.abs(gradient) + 1e-5 / 0.1), 0, 1)

    def judged(image):  # without a shift
        wanted = target.activations(target.features(x), kernels[0])
        found = target.activations(target.features(image), kernels[1])
        error = tf.reduce_sum(tf.square(found - wanted)) / tf.reduce_sum(tf.square(wanted))
        return float(error + prior(tf.constant(image, tf.float32))[0])

    walk = inverter.walk(x, np.zeros(D), grid=3)
    total = walk.history["total"][:, 0, 0, 1]  # up: dimension 0 at −3
    assert total[0] == pytest.approx(judged(x), rel=1e-4)
    assert total[1] == pytest.approx(judged(expected), rel=1e-4)
    assert abs(total[1] - total[0]) > 1e-3 * total[0]
    kept = expected if total[1] < total[0] else x
    np.testing.assert_allclose(walk.images[0, 0, 1], kept[0], atol=1e-5)


@pytest.mark.onednn
def test_jitter_goes_another_way_and_is_judged_as_before(target, generator, shaken):
    still = Inverter(target, generator, steps=25).walk(some_images(), Z, grid=3)
    for key, rows in still.history.items():
        np.testing.assert_allclose(shaken.history[key][0], rows[0], rtol=1e-6)
    assert np.abs(shaken.images - still.images)[:, OTHERS].mean() > 1e-3


def test_history_and_kept_images_are_of_the_objective_without_shifts(target, generator, shaken):
    middle = generator(shaken.latents[1, 1][None])[0]
    for n in range(2):
        x = shaken.start[n : n + 1]
        wanted = target.activations(target.features(x), middle).numpy()
        for i, j in np.argwhere(OTHERS):
            image = shaken.images[n, i, j][None]
            kernels = generator(shaken.latents[i, j][None])[0]
            found = target.activations(target.features(image), kernels).numpy()
            error = np.sum((found - wanted) ** 2) / np.sum(wanted**2)
            excess = float(WALK_TOTAL_VARIATION.excess(image, x)[0])
            column = shaken.history["total"][:, n, i, j]
            assert error + excess == pytest.approx(column.min(), rel=1e-3)
            assert column.min() <= column[0]
    assert 0 < shaken.explained_fraction < 1


def test_the_middle_of_a_walk_stays_the_image(shaken):
    """x under z matches x under z at every shift."""
    np.testing.assert_allclose(shaken.images[:, 1, 1], shaken.start, atol=1e-6)


@pytest.mark.onednn
@pytest.mark.parametrize("batch_size", [256, 5])
def test_an_image_alone_ends_where_it_ends_in_a_batch(target, generator, shaken, batch_size):
    inverter = Inverter(target, generator, steps=25, jitter=2, batch_size=batch_size)
    alone = inverter.walk(some_images()[1:], Z, grid=3)
    np.testing.assert_allclose(alone.images[0], shaken.images[1], atol=1e-3)
    np.testing.assert_allclose(
        alone.history["total"][:, 0, OTHERS], shaken.history["total"][:, 1, OTHERS], rtol=2e-3
    )


def test_the_seed_decides(target, generator, shaken):
    again = Inverter(target, generator, steps=25, jitter=2).walk(some_images(), Z, grid=3)
    np.testing.assert_array_equal(again.images, shaken.images)
    other = Inverter(target, generator, steps=25, jitter=2, seed=1).walk(some_images(), Z, grid=3)
    assert np.abs(other.images - shaken.images).mean() > 1e-4


def test_the_seed_is_nothing_to_a_walk_without_jitter(target, generator):
    walks = [
        Inverter(target, generator, steps=5, seed=seed).walk(some_images(), Z, grid=3)
        for seed in (0, 1)
    ]
    np.testing.assert_array_equal(walks[0].images, walks[1].images)


def test_a_walk_with_jitter_is_compiled_once_and_works_in_other_coordinates(target, generator):
    inverter = Inverter(target, generator, NoPrior(), Deformation(4), 10, batch_size=8, jitter=1)
    walk = inverter.walk(some_images(), Z, grid=3)
    assert inverter._compiled.experimental_get_tracing_count() == 1
    assert walk.explained_fraction > 0


def test_wanted_activations_without_their_image_are_refused(target, generator):
    inverter = Inverter(target, generator, jitter=1)
    with pytest.raises(InputError, match="expected jitter=0, received jitter=1: wanted activ"):
        inverter.invert(some_images(), np.ones((2, *target.activation_shape)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jitter": -1}, "whole number ≥ 0, received jitter=-1"),
        ({"jitter": 1.0}, "whole number ≥ 0, received jitter=1.0"),
        ({"jitter": 12}, r"below the sides of the images, \(12, 12\), received jitter=12"),
        ({"seed": -1}, "whole number ≥ 0, received seed=-1"),
        ({"seed": None}, "received seed=None"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(target, generator, settings, message):
    with pytest.raises(InputError, match=message):
        Inverter(target, generator, **settings)
