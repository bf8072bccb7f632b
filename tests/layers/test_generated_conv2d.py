import subprocess
import sys

import classifiers
import keras
import numpy as np
import pytest
import tensorflow as tf
from trained_generator import looks_trained

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.saved_generator import load_generator
from keras_filtergan.layers import GeneratedConv2D

FEATURES = np.random.default_rng(0).normal(size=(5, 7, 6, 4)).astype("float32")


def convolution(**kwargs) -> keras.layers.Conv2D:
    layer = keras.layers.Conv2D(6, 3, **{"bias_initializer": "normal", **kwargs})
    layer.build(FEATURES.shape)
    return layer


def by_keras(generator, latent, features, like) -> np.ndarray:
    """What a plain Conv2D makes of the features with the kernels of one latent."""
    layer = keras.layers.Conv2D.from_config(like.get_config())
    layer.build(features.shape)
    kernels = generator(np.reshape(latent, (1, -1)).astype("float32"))[0]
    layer.set_weights([kernels, like.bias] if like.use_bias else [kernels])
    return layer(features).numpy()


@pytest.mark.onednn
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"padding": "same"},
        {"strides": 2, "padding": "same", "use_bias": False},
        {"strides": (2, 1)},
        {"dilation_rate": 2},
        {"groups": 2, "padding": "same"},
        {"activation": "relu"},
    ],
    ids=str,
)
def test_with_the_real_kernels_it_is_the_real_layer(kwargs):
    real = convolution(**kwargs)
    generator = looks_trained(real, deviations=False)
    layer = GeneratedConv2D(generator, activation=real.activation)
    expected = real(FEATURES).numpy()
    for training in (False, True):
        np.testing.assert_allclose(layer(FEATURES, training=training), expected, atol=1e-5)
    assert layer.compute_output_shape((None, 7, 6, 4)) == (None, *expected.shape[1:])


@pytest.mark.onednn
def test_inference_is_the_mean_of_the_activations_under_its_latents():
    """The paper's way: one convolution a latent, then the average of ten activations."""
    real = convolution()
    generator = looks_trained(real)
    latents = np.random.default_rng(3).standard_normal((10, 3))
    expected = np.mean([by_keras(generator, z, FEATURES, real) for z in latents], axis=0)
    given = GeneratedConv2D(generator, latents=latents)
    drawn = GeneratedConv2D(generator, latents=10, seed=3)
    np.testing.assert_allclose(given(FEATURES), expected, atol=1e-5)
    np.testing.assert_allclose(drawn(FEATURES), expected, atol=1e-5)
    np.testing.assert_array_equal(drawn(FEATURES), drawn(FEATURES))


def test_one_given_latent():
    real = convolution()
    generator = looks_trained(real)
    expected = by_keras(generator, [1.0, -2.0, 0.5], FEATURES, real)
    layer = GeneratedConv2D(generator, latents=[1.0, -2.0, 0.5])
    np.testing.assert_allclose(layer(FEATURES), expected, atol=1e-5)


def test_latents_can_come_with_the_call():
    real = convolution()
    generator = looks_trained(real)
    latents = np.random.default_rng(4).standard_normal((5, 3)).astype("float32")
    expected = [by_keras(generator, z, FEATURES[i : i + 1], real)[0] for i, z in enumerate(latents)]
    layer = GeneratedConv2D(generator)
    np.testing.assert_allclose(layer(FEATURES, latents), expected, atol=1e-5)
    features, codes = keras.Input((7, 6, 4)), keras.Input((3,))
    model = keras.Model([features, codes], layer(features, codes))
    np.testing.assert_allclose(model([FEATURES, latents]), expected, atol=1e-5)


def test_each_example_draws_for_itself_or_the_batch_does():
    generator = looks_trained(convolution())
    alike = np.repeat(FEATURES[:1], 4, axis=0)
    spread = {
        draws: np.ptp(GeneratedConv2D(generator, draws=draws)(alike, training=True), axis=0).max()
        for draws in ("example", "batch")
    }
    assert spread["example"] > 0.01
    assert spread["batch"] < 1e-5


def test_draws_differ_from_call_to_call_and_agree_between_equal_seeds():
    generator = looks_trained(convolution())
    one, other = (GeneratedConv2D(generator, seed=5) for _ in range(2))
    first, second = (one(FEATURES, training=True).numpy() for _ in range(2))
    assert np.abs(first - second).max() > 0.01
    np.testing.assert_array_equal(other(FEATURES, training=True), first)
    another = GeneratedConv2D(generator, seed=6)(FEATURES, training=True)
    assert np.abs(first - another).max() > 0.01


def test_the_latents_of_training_are_standard_normal():
    """Linear in z: one output channel that is z itself."""
    real = keras.layers.Conv2D(1, 1, use_bias=False)
    real.build((None, 1, 1, 1))
    generator = looks_trained(real, latent_dim=1)
    layer = GeneratedConv2D(generator)
    layer.generator.call = lambda z, training: tf.reshape(z, (-1, 1, 1, 1, 1))
    drawn = layer(np.ones((4000, 1, 1, 1), "float32"), training=True)
    assert abs(np.mean(drawn)) < 0.06  # 4 standard errors
    assert abs(np.std(drawn) - 1) < 0.05


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.generated = layer
        self.head = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])

    def call(self, inputs, training=False):
        return self.head(self.generated(inputs, training=training))

    def get_config(self):
        return {
            **super().get_config(),
            "layer": keras.saving.serialize_keras_object(self.generated),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


def functional(layer):
    inputs = keras.Input((7, 6, 4))
    flat = keras.layers.Flatten()(layer(inputs))
    return keras.Model(inputs, keras.layers.Dense(2)(flat))


def sequential(layer):
    return keras.Sequential(
        [keras.Input((7, 6, 4)), layer, keras.layers.Flatten(), keras.layers.Dense(2)]
    )


@pytest.mark.onednn
@pytest.mark.parametrize("build", [functional, sequential, Subclassed])
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_fit_moves_the_head_and_nothing_else(build, policy):
    generator = looks_trained(convolution())
    before = [weight.numpy() for weight in generator.weights]
    keras.config.set_dtype_policy(policy)
    try:
        model = build(GeneratedConv2D(generator))
        model.compile("sgd", "mse")
        model.fit(FEATURES, np.ones((5, 2)), epochs=2, verbose=0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert len(model.trainable_variables) == 2
    for weight, held in zip(generator.weights, before, strict=True):
        np.testing.assert_array_equal(weight, held)


@pytest.mark.onednn
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_agrees_with_single(policy):
    generator = looks_trained(convolution())
    expected = GeneratedConv2D(generator)(FEATURES).numpy()
    half = GeneratedConv2D(generator, dtype=policy)(FEATURES)
    assert half.dtype == policy.removeprefix("mixed_")
    np.testing.assert_allclose(tf.cast(half, "float32"), expected, atol=0.05)


@pytest.mark.onednn
def test_gradients_reach_the_features_of_the_layer_below():
    generator = looks_trained(convolution(activation=None))
    model = keras.Sequential(
        [keras.Input((7, 6, 4)), keras.layers.Conv2D(4, 1), GeneratedConv2D(generator)]
    )
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(model(FEATURES, training=True)))
    gradients = tape.gradient(loss, model.trainable_variables)
    assert len(gradients) == 2
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_in_tf_data_each_element_is_drawn_anew():
    layer = GeneratedConv2D(looks_trained(convolution()))
    images = tf.data.Dataset.from_tensor_slices(FEATURES).batch(5)
    mapped = images.map(lambda batch: layer(batch, training=True))
    one, other = next(iter(mapped)).numpy(), next(iter(mapped)).numpy()
    assert np.abs(one - other).max() > 0.01
    plain = next(iter(images.map(layer)))
    np.testing.assert_allclose(plain, layer(FEATURES), atol=1e-5)
    unknown = images.map(lambda batch: tf.py_function(lambda x: x, [batch], tf.float32))
    np.testing.assert_allclose(next(iter(unknown.map(layer))), plain, atol=1e-5)


FRESH = """
import sys, numpy as np, keras
from keras_filtergan import layers
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model(np.load(sys.argv[2])))
"""


@pytest.mark.parametrize("build", [functional, sequential])
def test_a_saved_model_gives_the_same_in_a_fresh_process(tmp_path, build):
    generator = looks_trained(convolution())
    model = build(GeneratedConv2D(generator, latents=4, activation="relu", seed=2, name="made"))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", FEATURES)
    arguments = [str(tmp_path / name) for name in ("model.keras", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", FRESH, *arguments], check=True, capture_output=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model(FEATURES), atol=1e-6)


def test_loaded_it_is_the_same_layer_and_as_frozen(tmp_path):
    model = sequential(GeneratedConv2D(looks_trained(convolution()), draws="batch", seed=2))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for name in ("latents", "draws", "seed", "activation"):
        assert loaded.layers[0].get_config()[name] == model.layers[0].get_config()[name]
    assert len(loaded.trainable_variables) == 2
    drawn = [each.layers[0](FEATURES, training=True).numpy() for each in (model, loaded)]
    np.testing.assert_array_equal(*drawn)


def test_a_subclassed_model_comes_back_with_its_weights(tmp_path):
    """Keras asks it for shapes before it has loaded any weights."""
    model = Subclassed(GeneratedConv2D(looks_trained(convolution())))
    expected = model(FEATURES)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(FEATURES), expected)


def test_two_layers_may_come_from_one_generator(tmp_path):
    generator = looks_trained(convolution())
    inputs = keras.Input((7, 6, 4))
    one = GeneratedConv2D(generator, latents=[1.0, 0.0, 0.0], name="one")
    other = GeneratedConv2D(generator, latents=[0.0, 1.0, 0.0], name="other")
    model = keras.Model(inputs, one(inputs) - other(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(FEATURES), model(FEATURES))
    assert np.abs(model(FEATURES)).max() > 0.01


def test_the_generator_that_is_passed_in_stays_what_it_was():
    generator = looks_trained(convolution())
    layer = GeneratedConv2D(generator)
    before = layer(FEATURES).numpy()
    assert len(generator.trainable_variables) == 8
    generator.mean.assign(np.zeros(generator.mean.shape))
    np.testing.assert_array_equal(layer(FEATURES), before)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_a_generator_can_be_made_and_loaded_under_any_global_policy(policy, tmp_path):
    generator = looks_trained(convolution())
    expected = GeneratedConv2D(generator)(FEATURES).numpy()
    model = sequential(GeneratedConv2D(generator, name="made"))
    generator.save(tmp_path / "generator.keras")
    model.save(tmp_path / "model.keras")
    keras.config.set_dtype_policy(policy)
    try:
        loaded = load_generator(tmp_path / "generator.keras")
        half = GeneratedConv2D(loaded)(FEATURES)
        again = keras.models.load_model(tmp_path / "model.keras")
        np.testing.assert_allclose(tf.cast(half, "float32"), expected, atol=0.05)
        assert loaded(np.zeros((1, 3), "float32")).dtype == "float32"
        np.testing.assert_array_equal(again(FEATURES), model(FEATURES))
    finally:
        keras.config.set_dtype_policy("float32")


def test_latents_with_the_call_may_be_a_list():
    layer = GeneratedConv2D(looks_trained(convolution()))
    latent = [[0.5, -1.0, 2.0]]
    expected = layer(FEATURES, latents=np.float32(latent))
    np.testing.assert_array_equal(layer(FEATURES, latents=latent), expected)


def test_one_latent_with_the_call_is_for_all():
    layer = GeneratedConv2D(looks_trained(convolution()))
    expected = layer(FEATURES, np.full((5, 3), 0.7, "float32"))
    np.testing.assert_allclose(
        layer(FEATURES, np.full((1, 3), 0.7, "float32")), expected, atol=1e-5
    )


@pytest.mark.parametrize("build", classifiers.KINDS, ids=lambda build: build.__name__)
def test_it_takes_the_place_of_every_convolution(build):
    """With the real kernels the network answers as it did: what goes with them is right too."""
    model, x = classifiers.shaken(build(3)), classifiers.images(3)
    for name in convolution_layers(model):
        target = FrozenTarget(model, name)
        gan = FilterGAN(target, latent_dim=3)
        by_channel = tf.reshape(target.kernel, (-1, target.kernel_shape[-1]))
        scale = gan.generator.scale * gan.generator.mean_learning_rate
        gan.generator.mean.assign(tf.transpose(by_channel) / scale)
        gan.generator.deviation.kernel.assign(tf.zeros_like(gan.generator.deviation.kernel))
        network = target.network_with(GeneratedConv2D(gan.generator))
        np.testing.assert_allclose(network(x, training=False), model(x, training=False), atol=1e-4)


def test_exported_it_gives_the_same_for_any_number_of_images(tmp_path):
    model = functional(GeneratedConv2D(looks_trained(convolution())))
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    for count in (1, 5):
        np.testing.assert_allclose(
            loaded.serve(FEATURES[:count]), model(FEATURES[:count]), atol=1e-5
        )


def test_features_of_any_size():
    real = convolution()
    layer = GeneratedConv2D(looks_trained(real, deviations=False))
    model = keras.Sequential([keras.Input((None, None, 4)), layer])
    for training in (False, True):
        for size in ((7, 6), (9, 12)):
            features = np.ones((2, *size, 4), "float32")
            expected = real(features)
            np.testing.assert_allclose(model(features, training=training), expected, atol=1e-5)


def test_features_with_other_channels_are_refused_with_both_shapes():
    layer = GeneratedConv2D(looks_trained(convolution()))
    with pytest.raises(InputError, match=r"\(m, h, w, 4\).*\(3, 3, 4, 6\).*\(2, 7, 6, 3\)"):
        layer(np.zeros((2, 7, 6, 3), "float32"))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("features", [FEATURES[0], np.repeat(FEATURES, 2, -1), FEATURES[None]])
def test_other_features_are_refused_after_the_first_as_well(features, training):
    """Twice the channels would pass for a grouped convolution, three axes end the process."""
    layer = GeneratedConv2D(looks_trained(convolution()))
    layer(FEATURES)
    with pytest.raises(InputError, match=r"expected features \(m, h, w, 4\)") as caught:
        layer(features, training=training)
    assert "\n" not in str(caught.value)


def test_other_features_are_refused_when_a_model_is_put_together():
    layer = GeneratedConv2D(looks_trained(convolution()))
    layer(keras.Input((7, 6, 4)))
    with pytest.raises(InputError, match=r"expected features \(m, h, w, 4\).*received.*5\)"):
        layer(keras.Input((7, 6, 5)))


def test_in_tf_data_a_refusal_is_still_an_input_error():
    layer = GeneratedConv2D(looks_trained(convolution()))
    other = tf.data.Dataset.from_tensors(np.zeros((2, 7, 6, 5), "float32"))
    with pytest.raises(InputError, match=r"expected features \(m, h, w, 4\)"):
        other.map(lambda batch: layer(batch, training=True))


def test_features_smaller_than_the_kernels_are_refused():
    layer = GeneratedConv2D(looks_trained(convolution(dilation_rate=2)))  # 5 pixels wide
    assert layer(FEATURES[:, :5, :5]).shape == (5, 1, 1, 6)
    with pytest.raises(InputError, match=r"at least 5 pixels a side.*received \(5, 4, 6, 4\)"):
        layer(FEATURES[:, :4])


def test_a_generator_that_knows_nothing_is_refused():
    fresh = FilterGenerator((3, 3, 4, 6), 3)
    with pytest.raises(InputError, match="neither trained nor loaded") as caught:
        GeneratedConv2D(fresh)(FEATURES)
    assert "\n" not in str(caught.value)
    restored = GeneratedConv2D.from_config(
        GeneratedConv2D(looks_trained(convolution())).get_config()
    )
    with pytest.raises(InputError, match="neither trained nor loaded"):
        restored(FEATURES)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"latents": 0}, "at least 1 latent.*received 0"),
        ({"latents": -3}, "at least 1 latent.*received -3"),
        ({"latents": [1.0, 2.0]}, r"\(3,\) or \(n, 3\), received latents \(2,\)"),
        ({"latents": 10.0}, "whole number of latents.*received 10.0"),
        ({"latents": [[np.nan, 0, 0]]}, "finite"),
        ({"draws": "epoch"}, "example, batch.*'epoch'"),
        ({"latents": [[1.0, 2, 3], [1.0, 2]]}, "number of latents or latents, received"),
        ({"latents": "many"}, "number of latents or latents, received 'many'"),
        ({"seed": -1}, "from 0 on, received -1"),
        ({"seed": None}, "from 0 on, received None"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(InputError, match=message):
        GeneratedConv2D(looks_trained(convolution()), **kwargs)


def test_something_else_than_a_generator():
    with pytest.raises(InputError, match="expected a FilterGenerator, received Dense"):
        GeneratedConv2D(keras.layers.Dense(3))


def test_latents_of_another_length_with_the_call():
    layer = GeneratedConv2D(looks_trained(convolution()))
    with pytest.raises(InputError, match=r"\(m, 3\), received \(5, 2\)"):
        layer(FEATURES, np.zeros((5, 2), "float32"))


def test_as_many_latents_as_examples_or_one_with_the_call():
    layer = GeneratedConv2D(looks_trained(convolution()))
    count = len(FEATURES) - 1
    with pytest.raises(InputError, match=f"one for each of {len(FEATURES)} examples, .* {count}"):
        layer(FEATURES, np.zeros((count, 3), "float32"))


def test_channels_are_last_whatever_keras_is_set_to():
    layer = GeneratedConv2D(looks_trained(convolution()))
    keras.config.set_image_data_format("channels_first")
    try:
        assert layer.compute_output_shape(FEATURES.shape) == tuple(layer(FEATURES).shape)
    finally:
        keras.config.set_image_data_format("channels_last")
