"""Under every policy of Keras, players compute in single precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.pixel_scale import with_preprocessing
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN
from keras_filtergan.precision import single_precision
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.training import train

HALF = ["mixed_float16", "mixed_bfloat16"]


@pytest.fixture
def policy(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


def after_two_steps(kind, target, dataset, make_stream):
    gan = kind(target, latent_dim=3)
    gan.compile()
    gan.adapt(dataset.x_train, dataset.y_train)
    for batch in make_stream(8, 3, gan.code_shape).take(2):
        gan.train_step(batch)
    return gan


@pytest.mark.parametrize(
    "kind", [pytest.param(FilterGAN, marks=pytest.mark.slow), NaturalFilterGAN]
)
def test_a_policy_changes_no_bit_of_training(kind, target, dataset, make_stream):
    expected = after_two_steps(kind, target, dataset, make_stream)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = after_two_steps(kind, target, dataset, make_stream)
        assert keras.config.dtype_policy().name == "mixed_float16"  # the user's, as it was
        answers = FrozenTarget(target.classifier, 4)(dataset.x_test)
    finally:
        keras.config.set_dtype_policy("float32")
    for one, other in zip(expected.weights, found.weights, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    np.testing.assert_array_equal(answers, target(dataset.x_test))


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_preprocessing_is_not_rounded(policy):
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, keras.layers.Flatten(dtype="float32")(image))
    x = np.random.default_rng(0).uniform(size=(2, 4, 4, 3)).astype("float32")
    found = with_preprocessing(model, "vgg16")(x).numpy().reshape(x.shape)
    expected = 255 * x[..., ::-1].astype(float) - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(found, expected, atol=1e-4)  # half precision is off by 0.06


@pytest.mark.parametrize("policy", ["mixed_float16"], indirect=True)
def test_a_policy_comes_back_after_an_error(policy):
    made = []

    @single_precision()
    def fail():
        made.append(keras.layers.Dense(1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert made[0].compute_dtype == "float32"
    assert keras.layers.Dense(1).compute_dtype == "float16"


@pytest.mark.slow
@pytest.mark.parametrize("policy", HALF, indirect=True)
def test_the_main_job(policy, tmp_path):
    """A classifier of half precision, and all that follows; the card is judged as usual."""
    trained, card = train(Settings(classifier_epochs=4, steps=400), tmp_path / "run", verbose=0)
    assert trained.target.layer.compute_dtype == policy.removeprefix("mixed_")
    assert card["classifier_accuracy"] > 0.95
    assert card["swapped_accuracy"]["mean"] > card["classifier_accuracy"] - 0.03
    for weight in trained.generator.weights:
        assert weight.dtype == "float32"
        assert np.isfinite(weight).all()


@pytest.mark.parametrize("given", ["float16", "bfloat16", "float32", "float64"])
def test_answers_are_compared_in_single_precision_at_least(target, given):
    logits = target.as_logits(tf.cast([[1.0, 2.0]], given))
    assert logits.dtype == ("float64" if given == "float64" else "float32")
    np.testing.assert_array_equal(logits, [[1.0, 2.0]])
