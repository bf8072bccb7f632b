import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.generators.architectures import GENERATORS, get_architecture
from keras_filtergan.generators.dcgan import StridedDiscriminator, UpsamplingGenerator
from keras_filtergan.generators.saved_generator import load_generator
from keras_filtergan.layers import GeneratedConv2D

SHAPE = (3, 2, 6, 5)
LATENTS = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
MAPS = np.random.default_rng(1).normal(size=(6, 7, 8, 5)).astype("float32")


def generator(**options):
    """With a mean and moving averages of its own, so that nothing can be forgotten."""
    model = UpsamplingGenerator(SHAPE, latent_dim=3, width=8, seed=1, **options)
    model.build((None, 3))
    draw = np.random.default_rng(2).uniform
    model.set_weights([w + draw(0.1, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    return model


def transposed(maps, kernel, stride=2):
    """A transposed convolution, SAME, one output channel and place at a time."""
    m, h, w, _ = maps.shape
    kh, kw, cout, _ = kernel.shape
    full = np.zeros((m, stride * (h - 1) + kh, stride * (w - 1) + kw, cout))
    for i, j in np.ndindex(h, w):
        spread = np.einsum("mc,abdc->mabd", maps[:, i, j], kernel)
        full[:, stride * i : stride * i + kh, stride * j : stride * j + kw] += spread
    top = (kh - stride) // 2
    left = (kw - stride) // 2
    return full[:, top : top + stride * h, left : left + stride * w]


def test_kernels_by_hand():
    model = generator()
    w = {weight.path.split("/", 1)[1]: weight.numpy() for weight in model.weights}

    def normed(maps, name):
        scale = w[f"{name}/gamma"] / np.sqrt(w[f"{name}/moving_variance"] + 1e-3)
        return np.maximum((maps - w[f"{name}/moving_mean"]) * scale + w[f"{name}/beta"], 0)

    maps = normed((LATENTS @ w["expand/kernel"]).reshape(7, 2, 2, 8), "expand_norm")
    maps = normed(transposed(maps, w["grow/kernel"]), "grow_norm")
    picture = np.tanh(transposed(maps, w["draw/kernel"]) + w["draw/bias"])  # (m, 8, 8, 6)
    mean = 10 * model.mean.numpy()
    kernels = model(LATENTS).numpy()
    for a, b, cin, cout in np.ndindex(SHAPE):
        tap = a * 2 + b
        expected = mean[cout, tap * 6 + cin] + picture[:, cin, cout, tap]
        np.testing.assert_allclose(
            kernels[:, a, b, cin, cout], np.sqrt(2 / 36) * expected, atol=1e-5
        )


def test_batch_norm_is_where_the_paper_puts_it():
    """Not at G's output, nor at D's input."""
    names = [layer.name for layer in generator().layers]
    assert names == ["expand", "expand_norm", "grow", "grow_norm", "draw"]
    trunk = StridedDiscriminator((7, 8, 5), 3, width=4).trunk
    kinds = [type(layer).__name__ for layer in trunk.layers]
    assert kinds == ["Conv2D", "LeakyReLU", "Conv2D", "BatchNormalization", "LeakyReLU", "Flatten"]
    assert all(layer.strides == (2, 2) for layer in trunk.layers if hasattr(layer, "strides"))


def test_in_training_statistics_are_those_of_the_batch():
    model = generator()
    before = model.expand_norm.moving_mean.numpy()
    batch = model.expand(LATENTS).numpy().reshape(-1, 8)
    model(LATENTS, training=True)
    expected = 0.9 * before + 0.1 * batch.mean(axis=0)
    np.testing.assert_allclose(model.expand_norm.moving_mean, expected, atol=1e-5)


def test_at_inference_a_kernel_set_depends_on_its_own_latent():
    model = generator()
    together, alone = model(LATENTS), [model(z[None])[0] for z in LATENTS]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_what_is_judged_together_shares_statistics():
    judge = StridedDiscriminator((7, 8, 5), 3, num_classes=2, width=4, seed=1)
    judge.build((None, 7, 8, 5))
    parts = MAPS[:2], 3 * MAPS[2:4], MAPS[4:]
    verdicts, codes = judge(np.concatenate(parts), training=True)
    real, fake, found = judge.judge(*parts, training=True)
    np.testing.assert_allclose(np.concatenate([real, fake]), verdicts[:4], atol=1e-5)
    np.testing.assert_allclose(found, codes[4:], atol=1e-5)
    alone = judge(parts[0], training=True)[0]
    assert not np.allclose(alone, real, atol=1e-3)


@pytest.mark.parametrize("use_bias", [True, False])
def test_saved_and_loaded_without_trust(tmp_path, use_bias):
    model = generator(use_bias=use_bias)
    model.save(tmp_path / "generator.keras")
    loaded = load_generator(tmp_path / "generator.keras")
    assert type(loaded) is UpsamplingGenerator
    np.testing.assert_array_equal(loaded(LATENTS), model(LATENTS))
    again = keras.models.load_model(tmp_path / "generator.keras")
    np.testing.assert_array_equal(again(LATENTS), model(LATENTS))


def test_a_layer_of_it_never_moves_its_statistics():
    layer = GeneratedConv2D(generator(), seed=3)
    features = np.random.default_rng(3).normal(size=(4, 6, 6, 6)).astype("float32")
    layer(features)
    before = layer.generator.get_weights()
    layer(features, training=True)
    for one, other in zip(before, layer.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", GENERATORS)
def test_weight_shapes_are_those_of_the_weights(name):
    kind = GENERATORS[name]
    model = kind(SHAPE, latent_dim=3, width=9, use_bias=True)
    model.build((None, 3))
    expected = {weight.path.split("/", 1)[1]: tuple(weight.shape) for weight in model.weights}
    config = {"kernel_shape": SHAPE, "latent_dim": 3, "width": 9, "use_bias": True}
    shapes = kind.weight_shapes(config)
    named = {path: shape for path, shape in shapes.items() if "/" in path}
    assert named == {path: shape for path, shape in expected.items() if "/" in path}
    assert sorted(shapes.values()) == sorted(expected.values())


def test_it_trains(target, dataset, make_stream):
    gan = FilterGAN(target, latent_dim=3, architecture="dcgan")
    gan.compile()
    gan.adapt(dataset.x_train)
    moving = gan.raw_generator.expand_norm.moving_mean.numpy()
    gan.fit(make_stream(16, 3), steps_per_epoch=3, epochs=1, verbose=0, shuffle=False)
    assert not np.allclose(gan.raw_generator.expand_norm.moving_mean, moving)
    before = [weight.numpy() for weight in gan.weights if "moving" in weight.path]
    gan.evaluate(make_stream(16, 3), steps=2, verbose=0)
    after = [weight.numpy() for weight in gan.weights if "moving" in weight.path]
    assert before
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    kernels = gan.generator(LATENTS)
    assert tf.reduce_all(tf.math.is_finite(kernels))
    assert gan.generator.is_trained()


def test_unknown():
    with pytest.raises(InputError, match="dcgan"):
        get_architecture("dcgam")
