import keras
import numpy as np
import pytest
import scipy.special
import scipy.stats
import tensorflow as tf

from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.rounds import Round

pytestmark = pytest.mark.onednn


def values(variables):
    return [np.array(variable) for variable in variables]


def same(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


class Still(keras.optimizers.RMSprop):
    """Counts its steps and moves nothing."""

    def update_step(self, gradient, variable, learning_rate):
        """Leave the variable alone."""


def players(gan):
    judge = gan.discriminator
    return {
        "generator": gan.raw_generator.trainable_variables,
        "shared": judge.trunk.trainable_variables,
        "verdict": judge.verdict.trainable_variables,
        "code": judge.code.trainable_variables,
        "transformation": gan.transformation.trainable_variables,
    }


@pytest.mark.parametrize(
    ("moving", "expected"),
    [
        ("g_optimizer", {"generator"}),
        ("d_optimizer", {"shared", "verdict"}),
        ("q_optimizer", {"shared", "code"}),
        ("t_optimizer", {"transformation"}),
    ],
)
def test_each_optimizer_changes_its_own_player_only(target, dataset, batch, moving, expected):
    gan = FilterGAN(target, latent_dim=3)
    names = ("g_optimizer", "d_optimizer", "q_optimizer", "t_optimizer")
    gan.compile(**{n: (keras.optimizers.RMSprop if n == moving else Still)(1e-2) for n in names})
    gan.adapt(dataset.x_train)
    gan.discriminator.code.kernel.assign_add(tf.ones_like(gan.discriminator.code.kernel) * 0.1)
    frozen = values(target.classifier.weights)
    before = {name: values(variables) for name, variables in players(gan).items()}
    gan.train_step(batch)
    after = {name: values(variables) for name, variables in players(gan).items()}
    assert {name for name in before if not same(before[name], after[name])} == expected
    assert same(frozen, values(target.classifier.weights))


def test_training_leaves_the_frozen_network_alone_and_moves_the_rest(gan, target, make_stream):
    frozen, raw = values(target.classifier.weights), values(gan.raw_generator.weights)
    stream = make_stream(16, 3)
    gan.fit(stream, steps_per_epoch=5, epochs=2, verbose=0, shuffle=False)
    assert same(frozen, values(target.classifier.weights))
    assert not same(raw, values(gan.raw_generator.weights))
    assert not set(map(id, gan.weights)) & set(map(id, target.classifier.weights))


def test_a_step_is_a_pure_function_of_weights_and_batch(target, dataset, batch):
    results = []
    for _ in range(2):
        gan = FilterGAN(target, latent_dim=3, seed=4)
        gan.compile()
        gan.adapt(dataset.x_train)
        step = tf.function(gan.train_step)
        for _ in range(3):
            step(batch)
        results.append(values(gan.weights))
    assert same(*results)


def test_logged_terms_by_hand(target, gan, batch):
    """Algorithm 1 in NumPy, image by image, from the weights at the start of the step."""
    judge, kernels = gan.discriminator, gan.raw_generator(batch["latent"]).numpy()
    code_weight = float(gan.code_weight.value)
    code_noise = float(gan.code_noise.value)
    standard = lambda maps: judge.standardize(maps).numpy()  # noqa: E731
    real, fake, other, outputs, raw, left, change = [], [], [], [], [], [], []
    strengths = gan.transformation.strengths
    strengths.layers[-1].kernel.assign(
        np.random.default_rng(5).normal(0, 0.05, strengths.layers[-1].kernel.shape)
    )
    origins = batch["latent"].numpy()[np.arange(16) - 1]  # of each image, the one before its own
    moved = gan.transformation((batch["image"], origins, batch["latent"]))
    for i in range(16):
        features = [feature[i : i + 1] for feature in target.features(batch["image"])]
        maps = target.activations(features, kernels[i])
        raw.append(target.activations(features).numpy()[0])
        real.append(standard(raw[-1][None])[0])
        fake.append(standard(maps)[0])
        before = target.activations(features, kernels[i - 1])
        other.append((maps - before).numpy()[0])
        outputs.append(target.outputs(maps, features).numpy()[0])
        wanted = standard(before)
        found = standard(target.activations(target.features(moved[i : i + 1]), kernels[i]))
        left.append(np.mean((found - wanted) ** 2))
        change.append(np.mean((fake[-1] - wanted[0]) ** 2))
    real, fake = np.array(real), np.array(fake)
    features = target.features(batch["image"])
    of_mean = standard(target.activations(features, kernels.mean(axis=0)))
    label, noise = batch["label"].numpy(), {k: v.numpy() for k, v in batch.items()}

    def logits(maps):
        verdicts = judge(maps)[0].numpy()
        return verdicts[:, 0] + verdicts[np.arange(16), 1 + label]

    real_logits = logits(real + 1.0 * noise["noise_real"])
    fake_logits = logits(fake + 1.0 * noise["noise_fake"])
    code = judge(fake + code_noise * noise["noise_code"])[1].numpy()
    p, q = (
        scipy.special.softmax(x / 3, axis=1)
        for x in (target(batch["image"]).numpy(), np.array(outputs))
    )
    divergence = scipy.stats.entropy(p, q, axis=1)
    softplus = lambda x: np.log1p(np.exp(x))  # noqa: E731
    expected = {
        "d_loss": softplus(-real_logits).mean() + softplus(fake_logits).mean(),
        "g_loss": softplus(-fake_logits).mean(),
        "code_error": np.mean((code - noise["latent"]) ** 2),
        "answer_loss": 9 * divergence.mean(),
        "unexplained": np.sum(left) / np.sum(change),
        "bias": np.mean(np.sum(np.square(of_mean - real), axis=(1, 2, 3)))
        / np.sum(np.var(real, axis=0, ddof=1)),
        "real_accuracy": np.mean(real_logits > 0),
        "fake_accuracy": np.mean(fake_logits < 0),
        "activation_variation": 0.5
        * np.sum(np.mean(np.square(other), axis=0))
        / np.sum(np.var(raw, axis=0, ddof=1)),
        "discriminator_noise": 1.0,
        "code_weight": code_weight,
        "code_noise": code_noise,
    }
    logs = {name: float(value) for name, value in gan.train_step(batch).items()}
    assert logs == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_the_first_generator_step_follows_the_gradient_of_its_objective(target, dataset, batch):
    """With SGD of rate 1 the step is minus the gradient, here by a difference quotient."""
    gan = FilterGAN(
        target,
        latent_dim=3,
        code_weight=2.0,
        variation_goal=None,
        code_noise=3.8,
        answer_weight=0.5,
        bias_weight=2.0,
    )
    gan.compile(Still(), Still(), Still(), Still())
    gan.adapt(dataset.x_train)
    gan.discriminator.code.kernel.assign(
        np.random.default_rng(0).normal(0, 0.1, gan.discriminator.code.kernel.shape)
    )
    variable, entry, eps = gan.raw_generator.mean, (2, 7), 1e-3

    def objective(shift):
        value = variable.numpy()
        moved = value.copy()
        moved[entry] += shift
        variable.assign(moved)
        gan.reset_metrics()
        logs = {name: float(term) for name, term in gan.train_step(batch).items()}
        variable.assign(value)
        gan.discriminator_noise.value.assign(1.0)
        objective = logs["g_loss"] + 2.0 * logs["code_error"] + 0.5 * logs["answer_loss"]
        return objective + 5.0 * logs["unexplained"] + 2.0 * logs["bias"]

    slope = (objective(eps) - objective(-eps)) / (2 * eps)
    gan.compile(keras.optimizers.SGD(1.0), Still(), Still(), Still())
    before = variable.numpy()[entry]
    gan.train_step(batch)
    assert before - variable.numpy()[entry] == pytest.approx(slope, rel=0.05, abs=1e-4)


def test_averaged_generator_follows_the_raw_one(gan, batch):
    average = values(gan.generator.weights)
    for step in range(1, 4):
        gan.train_step(batch)
        decay = min(0.998, (1 + step) / (10 + step))
        average = [
            decay * a + (1 - decay) * np.array(r)
            for a, r in zip(average, gan.raw_generator.weights, strict=True)
        ]
    for expected, held in zip(average, gan.generator.weights, strict=True):
        np.testing.assert_allclose(held, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", ["non_saturating", "saturating"])
@pytest.mark.parametrize("architecture", ["shared", "dcgan"])
def test_each_player_moves_by_the_gradient_of_its_own_objective(
    target, dataset, batch, architecture, loss
):
    """One backward pass serves two players; here each objective is differentiated by itself."""
    gan = FilterGAN(target, latent_dim=3, architecture=architecture, generator_loss=loss)
    gan.compile(*[keras.optimizers.SGD(1.0) for _ in range(4)])
    gan.adapt(dataset.x_train)
    for layer in (gan.discriminator.code, gan.transformation.strengths.layers[-1]):
        layer.kernel.assign(np.random.default_rng(5).normal(0, 0.05, layer.kernel.shape))
    names = ("generator", "d", "q", "transformation")
    with tf.GradientTape(persistent=True) as tape:
        seen = gan._play(batch, gan.raw_generator, training=True)
        d_loss = tf.reduce_mean(
            tf.nn.softplus(-seen.real_logits) + tf.nn.softplus(seen.fake_logits)
        )
        taken_for_real = tf.sigmoid(seen.fake_logits)
        log = tf.math.log(taken_for_real if loss == "non_saturating" else 1.0 - taken_for_real)
        g_loss = tf.reduce_mean(-log if loss == "non_saturating" else log)
        objectives = (
            g_loss + 5.0 * seen.code_error + 3.0 * seen.answer_loss + 5.0 * seen.unexplained,
            d_loss,
            seen.code_error,
            seen.unexplained,
        )
    variables = (
        gan.raw_generator.trainable_variables,
        gan.discriminator.d_variables,
        gan.discriminator.q_variables,
        gan.transformation.trainable_variables,
    )
    expected = {
        name: [np.array(g) for g in tape.gradient(objective, held)]
        for name, objective, held in zip(names, objectives, variables, strict=True)
    }
    before = {name: values(held) for name, held in zip(names, variables, strict=True)}
    moving = dict(zip(names, ("g", "d", "q", "t"), strict=True))
    for name, held in zip(names, variables, strict=True):
        for other in names:
            optimizer = getattr(gan, f"{moving[other]}_optimizer")
            optimizer.learning_rate = float(other == name)
        for variable, value in zip(held, before[name], strict=True):
            variable.assign(value)
        state = values(gan.weights)
        gan.train_step(batch)
        for variable, old, gradient in zip(held, before[name], expected[name], strict=True):
            scale = np.abs(gradient).max() + 1e-6
            np.testing.assert_allclose(old - variable, gradient, atol=1e-4 * scale)
        for weight, value in zip(gan.weights, state, strict=True):
            weight.assign(value)


def a_round(accuracy=0.75, variation=0.45, code_error=0.5) -> Round:
    """What a step sees when D is right that often about 8 real and 8 generated activations."""
    right = np.where(np.arange(8) < 8 * accuracy, 1.0, -1.0).astype("float32")
    terms = {"code_error": code_error, "activation_variation": variation}
    terms |= {"fake": 0, "other": 0, "answer_loss": 0, "unexplained": 0, "alikeness": 0, "bias": 0}
    tensors = {name: tf.constant(value, tf.float32) for name, value in terms.items()}
    return Round(real_logits=tf.constant(right), fake_logits=tf.constant(-right), **tensors)


def test_each_control_follows_what_it_holds(gan):
    """D right more often than its goal: more noise on D. Activations that vary less than theirs:
    more weight of the code, as fast as Q reads. Q that reads too little: less noise on Q."""
    controls = gan.discriminator_noise, gan.code_weight, gan.code_noise
    start = np.array([float(control.value) for control in controls])

    def moved(seen: Round) -> np.ndarray:
        for control, value in zip(controls, start, strict=True):
            control.value.assign(value)
        gan._balance().update(seen)
        return np.log([float(control.value) for control in controls]) - np.log(start)

    np.testing.assert_allclose(moved(a_round()), 0, atol=1e-6)
    np.testing.assert_allclose(moved(a_round(accuracy=1.0)), [0.02 * 0.25, 0, 0], atol=1e-6)
    hardly_reads = moved(a_round(variation=0.0, code_error=0.9))
    np.testing.assert_allclose(hardly_reads, [0, 0.1 * 0.01 * 0.45, -0.005 * 0.4], atol=1e-6)
    cannot_read = moved(a_round(variation=0.0, code_error=1.3))
    np.testing.assert_allclose(cannot_read, [0, 0, -0.005 * 0.5], atol=1e-6)
    start[2] /= 2
    reads = moved(a_round(variation=0.05, code_error=0.2))
    np.testing.assert_allclose(reads, [0, 0.8 * 0.01 * 0.4, 4 * 0.005 * 0.3], atol=1e-6)
    too_much = moved(a_round(variation=0.85, code_error=0.2))
    np.testing.assert_allclose(too_much, [0, -0.8 * 0.01 * 0.4, 4 * 0.005 * 0.3], atol=1e-6)


def test_adapt_standardises_the_real_activations(gan, target, dataset):
    maps = target.activations(target.features(dataset.x_train / np.float32(255)))
    standard = gan.discriminator.standardize(maps).numpy()
    np.testing.assert_allclose(standard.mean(axis=(0, 1, 2)), 0, atol=1e-3)
    np.testing.assert_allclose(standard.std(axis=(0, 1, 2)), 1, atol=1e-3)


def test_the_noise_of_the_code_is_that_of_a_channel_that_carries_it(gan, target, dataset):
    """Each of 3 latents has a third of the wanted variation, 16 times the noise of one unit.

    There it starts, and there is its bound.
    """
    maps = target.activations(target.features(dataset.x_train / np.float32(255)))
    spread = gan.discriminator.standardize(maps).numpy().var(axis=0).sum()
    expected = np.sqrt(0.45 * spread / 3 / 16)
    assert float(gan.code_noise.value) == pytest.approx(expected, rel=1e-3)
    assert gan.code_noise.highest == pytest.approx(expected, rel=1e-3)


def test_the_noise_of_the_code_gives_way_where_q_cannot_read(gan, batch):
    highest = gan.code_noise.highest
    error = float(gan.train_step(batch)["code_error"])
    assert error > 0.5
    expected = highest * np.exp(-0.005 * (min(error, 1.0) - 0.5))
    assert float(gan.code_noise.value) == pytest.approx(expected, rel=1e-5)
    gan.code_noise.update(0.2)  # Q reads: back, and no further than the bound
    assert float(gan.code_noise.value) == pytest.approx(expected * np.exp(0.005 * 0.3), rel=1e-5)
    for _ in range(10):
        gan.code_noise.update(0.2)
    assert float(gan.code_noise.value) == pytest.approx(highest, rel=1e-5)


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_a_given_noise_is_kept(noise, target, dataset):
    gan = FilterGAN(target, latent_dim=3, code_noise=noise)
    gan.adapt(dataset.x_train)
    assert float(gan.code_noise.value) == noise
    gan.code_noise.update(1.0)
    assert float(gan.code_noise.value) == noise


def test_without_a_wanted_variation_the_noise_must_be_given(target):
    with pytest.raises(InputError, match="expected code_noise"):
        FilterGAN(target, variation_goal=None)


def test_a_filter_that_is_switched_off_does_no_harm(dataset):
    """Weight decay and pruning leave filters without output: no variance to be measured in."""
    model = build_classifier((12, 12, 1), 3, widths=(4, 5, 6, 7, 8))
    kernel, bias = model.get_layer("conv4").get_weights()
    kernel[..., 2] = 0.0
    model.get_layer("conv4").set_weights([kernel, bias])
    gan = FilterGAN(FrozenTarget(model, 4), latent_dim=3)
    gan.adapt(dataset.x_train)
    standard = gan.discriminator.standardize(np.eye(7, dtype="float32")[None, None]).numpy()
    assert 1.0 < np.abs(standard).max() < 1e4


def test_test_step_changes_nothing(gan, batch):
    before = values(gan.weights)
    logs = gan.test_step(batch)
    kept = values(gan.weights)
    assert same(before, kept)
    assert set(logs) == {metric.name for metric in gan.metrics}


def test_learns_to_hide_and_to_tell_the_code(target, dataset, make_stream):
    """In 300 steps on a toy, D comes off its first certainty and Q off chance."""
    gan = FilterGAN(target, latent_dim=2, code_noise=1.0)
    gan.compile()
    gan.adapt(dataset.x_train)
    stream = make_stream(32, 2)
    history = gan.fit(stream, steps_per_epoch=100, epochs=4, verbose=0, shuffle=False).history
    assert history["code_error"][-1] < 0.8
    assert history["g_loss"][-1] < history["g_loss"][0]


def test_plain_batches_are_refused(gan):
    with pytest.raises(InputError, match=r"data\.training_stream"):
        gan.train_step((np.zeros((2, 12, 12, 1)), np.zeros(2)))


def test_fitting_before_adapting_is_refused(target, batch):
    gan = FilterGAN(target, latent_dim=3)
    gan.compile()
    with pytest.raises(InputError, match=r"expected adapt\(images\) before fit"):
        gan.train_step(batch)
