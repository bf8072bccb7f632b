import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.data import to_unit_interval, training_stream
from keras_filtergan.errors import InputError
from keras_filtergan.gan.change_reader import ChangeReader
from keras_filtergan.gan.methods import METHODS, get_method
from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

pytestmark = pytest.mark.onednn

RANK = 6


def values(variables):
    return [np.array(variable) for variable in variables]


def shake(variables, seed=5, size=0.05):
    generator = np.random.default_rng(seed)
    for variable in variables:
        variable.assign_add(generator.normal(0, size, variable.shape))


@pytest.fixture
def gan(target, dataset):
    """One whose players have left their start, so that every term depends on every weight."""
    gan = NaturalFilterGAN(target, latent_dim=3, rank=RANK, seed=4)
    gan.compile(*[keras.optimizers.SGD(1.0) for _ in range(4)])
    gan.adapt(dataset.x_train, dataset.y_train)
    shake(gan.raw_generator.trainable_variables)
    shake(gan.reader.trainable_variables, size=0.2)
    shake(gan.transformation.trainable_variables)
    return gan


def stream(gan, dataset, batch_size):
    return training_stream(
        dataset.x_train,
        dataset.y_train,
        batch_size=batch_size,
        latent_dim=3,
        noise_shape=gan.target.activation_shape,
        code_shape=gan.code_shape,
        seed=0,
    )


@pytest.fixture
def batch(gan, dataset):
    return next(iter(stream(gan, dataset, 16)))


def natural_directions(target, dataset):
    """Right singular vectors of standardised activations less the means of their classes."""
    maps = target.activations(target.features(dataset.x_train)).numpy()
    maps = (maps - maps.mean((0, 1, 2))) / maps.std((0, 1, 2))
    rows = maps.reshape(len(maps), -1).astype("float64")
    for label in np.unique(dataset.y_train):
        rows[dataset.y_train == label] -= rows[dataset.y_train == label].mean(0)
    return np.linalg.svd(rows, full_matrices=False)[2][:RANK].T


def test_q_sees_the_main_directions_within_classes(gan, target, dataset):
    expected = natural_directions(target, dataset)
    found = gan.reader.directions.numpy()
    np.testing.assert_allclose(np.abs(np.sum(found * expected, axis=0)), 1, atol=1e-3)
    maps = target.activations(target.features(dataset.x_train)).numpy()
    spread = (maps.var(axis=0) / maps.var(axis=(0, 1, 2))).sum()
    noise = np.sqrt(0.22 * spread / 3 / 64)
    assert float(gan.code_noise.value) == pytest.approx(noise, rel=1e-3)
    along = (maps / maps.std(axis=(0, 1, 2))).reshape(len(maps), -1) @ expected[:, 0]
    for label in np.unique(dataset.y_train):
        along[dataset.y_train == label] -= along[dataset.y_train == label].mean()
    assert float(gan.reader.unit) == pytest.approx(along.std(), rel=1e-3)


@pytest.mark.parametrize("count", [16, 15])
def test_logged_terms_by_hand(gan, target, dataset, batch, count):
    """In NumPy, image by image, from the weights at the start of the step.

    Image i of the first half moves from `back[i]` to `there[i]`, image i of the second half the
    other way; they differ in one dimension. The second half of 15 images is one short.
    """
    batch = {name: part[:count] for name, part in batch.items()}
    there, back, moving = [], [], []
    for i in range(8):
        there.append(batch["latent"][i].numpy())
        back.append(there[i].copy())
        back[i][i % 3] = batch["latent"][(i + 8) % count][i % 3]
        moving.append(i % 3)
    latents, origins = np.array(there + back)[:count], np.array(back + there)[:count]
    moving = (moving + moving)[:count]
    kernels, others = (gan.raw_generator(x).numpy() for x in (latents, origins))
    moved = gan.transformation((batch["image"], origins, latents))
    standard = gan.discriminator.standardize

    def activations(image, kernel):
        return target.activations(target.features(image[None]), kernel).numpy()[0]

    left, change, code, raw, spread = np.zeros(3), np.zeros(3), [], [], []
    for i in range(count):
        here, there = (activations(batch["image"][i], k[i]) for k in (kernels, others))
        found = activations(moved[i], kernels[i])
        here, there, found = (standard(x[None]).numpy()[0] for x in (here, there, found))
        left[moving[i]] += np.square(found - there).sum()
        change[moving[i]] += np.square(here - there).sum()
        coordinates = (here - there).ravel() / np.sqrt(2) @ gan.reader.directions.numpy()
        coordinates += float(gan.code_noise.value) * batch["noise_code"][i].numpy()
        read = gan.reader.head(coordinates[None] / gan.reader.unit).numpy()[0]
        code.append(read - (latents[i] - origins[i]) / np.sqrt(2))
        raw.append(activations(batch["image"][i], target.kernel.numpy()))
        spread.append((here - there) * np.sqrt(standard.variance.numpy().reshape(-1)))
    maps = [activations(image, kernels.mean(axis=0)) for image in batch["image"]]
    off, real = (np.array(x) / np.sqrt(standard.variance.numpy()) for x in (maps, raw))
    bias = np.mean(np.sum(np.square(off - real), axis=(1, 2, 3)))
    logs = {name: float(value) for name, value in gan.train_step(batch).items()}
    assert logs["bias"] == pytest.approx(bias / np.sum(np.var(real, axis=0, ddof=1)), rel=1e-3)
    assert logs["code_error"] == pytest.approx(3 * np.mean(np.square(code)), rel=1e-3)
    assert logs["unexplained"] == pytest.approx(np.mean(left / change), rel=1e-3)
    over_latents = 3 * 0.5 * np.sum(np.mean(np.square(spread), axis=0))
    expected = over_latents / np.sum(np.var(raw, axis=0, ddof=1))
    assert logs["activation_variation"] == pytest.approx(expected, rel=1e-3)


def test_each_player_moves_by_the_gradient_of_its_own_objective(gan, batch):
    weights = gan.answer_weight, gan.image_weight, gan.bias_weight
    assert (gan.code_weight.value.numpy(), *weights) == (5.0, 8.0, 20.0, 10.0)
    with tf.GradientTape(persistent=True) as tape:
        seen = gan._play(batch, gan.raw_generator, training=True)
        d_loss = tf.reduce_mean(
            tf.nn.softplus(-seen.real_logits) + tf.nn.softplus(seen.fake_logits)
        )
        g_loss = tf.reduce_mean(tf.nn.softplus(-seen.fake_logits))
        of_g = g_loss + 5.0 * seen.code_error + 8.0 * seen.answer_loss
        of_g += 20.0 * seen.unexplained + 10.0 * seen.bias
        of_t = seen.unexplained + gan.transformation.alikeness(batch["image"])
    players = {
        "g": (of_g, gan.raw_generator.trainable_variables),
        "d": (d_loss, gan.discriminator.d_variables),
        "q": (seen.code_error, gan.reader.trainable_variables),
        "t": (of_t, gan.transformation.trainable_variables),
    }
    gradients = {name: tape.gradient(*player) for name, player in players.items()}
    before = {name: values(player[1]) for name, player in players.items()}
    gan.train_step(batch)
    for name, (_, variables) in players.items():
        for variable, old, gradient in zip(variables, before[name], gradients[name], strict=True):
            expected = np.array(gradient)
            assert np.abs(expected).max() > 0, f"{name}: {variable.path}"
            scale = np.abs(expected).max() + 1e-6
            np.testing.assert_allclose(old - variable, expected, atol=1e-3 * scale)


def test_the_trap_d_sees_what_q_does_not(gan, target, dataset, batch):
    """Were D to see natural coordinates alone, nothing would judge the rest, and G would leave it.

    A change of activations across the natural directions is none to Q, and one to D.
    """
    generator = np.random.default_rng(3)
    fake = generator.normal(size=(16, *target.activation_shape)).astype("float32")
    across = generator.normal(size=(16, gan.reader.units))
    directions = gan.reader.directions.numpy().astype("float64")
    across -= across @ directions @ directions.T
    hidden = fake + across.reshape(fake.shape).astype("float32")
    np.testing.assert_allclose(gan.reader(hidden - fake), gan.reader(0 * fake), atol=1e-4)
    _, seen = gan.discriminator.verdicts(fake, fake)
    _, moved = gan.discriminator.verdicts(fake, hidden)
    assert np.abs(seen - moved).max() > 0.1


def test_small_batches_move_every_dimension_in_turn(gan, dataset):
    moved = np.zeros(3)
    gan.compile()
    for batch in stream(gan, dataset, 2).take(3):
        features = gan.target.features(batch["image"])
        pair = gan._pair(batch["latent"], features, gan.raw_generator, training=True)
        differs = (pair.latents != pair.origins).numpy()
        np.testing.assert_array_equal(differs.sum(axis=1), 1)
        np.testing.assert_array_equal(differs, pair.steps.numpy() == 1)
        moved += differs.sum(axis=0)
        gan.train_step(batch)
    np.testing.assert_array_equal(moved, 2)


def test_training_makes_activations_move_as_images_of_a_class_differ(target, dataset):
    """The same short training by both methods: the share of the change along those directions."""
    directions = natural_directions(target, dataset)
    shares = {}
    for name, kind in METHODS.items():
        gan = kind(target, latent_dim=3, seed=1, **({"rank": RANK} if name == "natural" else {}))
        gan.compile()
        gan.adapt(dataset.x_train, dataset.y_train)
        gan.fit(stream(gan, dataset, 16), steps_per_epoch=150, verbose=0, shuffle=False)
        images = to_unit_interval(dataset.x_test)
        latents = np.random.default_rng(2).normal(size=(2, len(images), 3)).astype("float32")
        features = target.features(images)
        here, there = (target.activations(features, gan.generator(z)).numpy() for z in latents)
        change = (here - there) / np.sqrt(gan.discriminator.standardize.variance.numpy())
        rows = change.reshape(len(change), -1)
        shares[name] = np.square(rows @ directions).sum() / np.square(rows).sum()
    assert shares["natural"] > 1.5 * shares["infogan"]


def test_without_labels_coordinates_are_differences_from_the_mean_of_all(target, dataset):
    gan = NaturalFilterGAN(target, latent_dim=3, rank=RANK)
    gan.compile()
    gan.adapt(dataset.x_train)
    maps = target.activations(target.features(dataset.x_train)).numpy()
    maps = (maps - maps.mean((0, 1, 2))) / maps.std((0, 1, 2))
    rows = maps.reshape(len(maps), -1)
    expected = np.linalg.svd(rows - rows.mean(0), full_matrices=False)[2][:RANK].T
    cosines = np.abs(np.sum(gan.reader.directions.numpy() * expected, axis=0))
    np.testing.assert_allclose(cosines, 1, atol=1e-3)


def test_classes_of_one_image_are_no_classes_and_that_is_said(target, dataset):
    gan = NaturalFilterGAN(target, latent_dim=3, rank=5)
    gan.compile()
    gan.adapt(dataset.x_train[:8], np.arange(8))
    [note] = gan.notes
    assert "no class has two images" in note
    alone = NaturalFilterGAN(target, latent_dim=3, rank=5)
    alone.compile()
    alone.adapt(dataset.x_train[:8], np.zeros(8, int))  # one class: within it is within all
    assert alone.notes == []
    np.testing.assert_allclose(alone.reader.directions, gan.reader.directions, atol=1e-5)


@pytest.mark.parametrize("architecture", ["shared", "dcgan"])
def test_other_networks_play_by_the_same_rules(target, dataset, architecture):
    gan = NaturalFilterGAN(target, latent_dim=3, rank=RANK, architecture=architecture)
    gan.compile()
    gan.adapt(dataset.x_train, dataset.y_train)
    before = values(gan.weights)
    logs = gan.train_step(next(iter(stream(gan, dataset, 16))))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert gan.discriminator.code is None
    moved = [not np.array_equal(a, b) for a, b in zip(before, values(gan.weights), strict=True)]
    assert sum(moved) > len(moved) / 2


def test_directions_that_the_data_do_not_carry_stay_zero(target, dataset):
    gan = NaturalFilterGAN(target, latent_dim=3, rank=10**6)
    gan.compile()
    gan.adapt(dataset.x_train[:8], np.zeros(8, int))
    [note] = gan.notes
    assert "differ in 7 directions only" in note
    directions = gan.reader.directions.numpy()
    assert (
        directions.shape
        == (gan.reader.units, gan.reader.units)
        == (gan.reader.units, *gan.code_shape)
    )
    assert np.any(directions[:, 6])
    assert not np.any(directions[:, 7:])


def test_saved_and_loaded_the_reader_is_the_same(gan, tmp_path):
    changes = np.random.default_rng(1).normal(size=(4, *gan.reader.activation_shape))
    expected = gan.reader(changes.astype("float32"))
    gan.reader.save(tmp_path / "reader.keras")
    loaded = keras.models.load_model(tmp_path / "reader.keras")
    assert isinstance(loaded, ChangeReader)
    np.testing.assert_array_equal(loaded(changes.astype("float32")), expected)


def test_an_unknown_method_is_refused_with_the_names_that_exist():
    assert get_method("infogan") is METHODS["infogan"]
    with pytest.raises(InputError, match=r"unknown method 'nature'.*natural"):
        get_method("nature")


def test_after_training_g_t_and_q_are_rotated_alike(gan, dataset):
    settings = Settings(latent_dim=3, rank=RANK)
    trained = TrainedRun.of(gan, settings, dataset)
    shake(gan.generator.trainable_variables)
    z = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
    before = np.concatenate(
        [np.reshape(gan.transformation.bend, (3, -1)), gan.transformation.stroke[:, None]], axis=1
    )
    kernels = gan.generator(z).numpy()
    head = gan.reader.head.layers[-1].kernel.numpy()
    trained.rotate_to_kinds()
    bending = trained.transformation
    after = np.concatenate([np.reshape(bending.bend, (3, -1)), bending.stroke[:, None]], axis=1)
    basis = np.linalg.lstsq(before.T, after.T, rcond=None)[0]  # after = basis.T @ before
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-4)
    assert np.abs(basis - np.eye(3)).max() > 0.01
    np.testing.assert_allclose(gan.reader.head.layers[-1].kernel, head @ basis, atol=1e-4)
    np.testing.assert_allclose(gan.generator((z @ basis).astype("float32")), kernels, atol=1e-4)
    found, bend = trained.kinds, bending.bend.numpy()
    trained.rotate_to_kinds()  # again: it is there already
    assert trained.kinds == found
    np.testing.assert_allclose(bending.bend, bend, atol=0.1 * np.abs(bend).max())
