import dataclasses

import keras
import numpy as np
import oracles
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import batches, image_stream
from keras_filtergan.evaluation import Subject, evaluate
from keras_filtergan.evaluation.metrics import retraining
from keras_filtergan.evaluation.metrics.retraining import retrained_suffix
from keras_filtergan.generators.kernel_source import KernelFunction


def test_the_average_of_ten_and_the_control_go_through_the_same_training(stumbling):
    names = ["averaged_retrained_accuracy", "control_retrained_accuracy"]
    subject = dataclasses.replace(
        stumbling, kernels=KernelFunction(lambda z: stumbling.kernels(5 * z), 3)
    )
    card, target = evaluate(subject, names), subject.target
    kernel_sets = dict(
        zip(names, (np.mean(subject.kernel_sets(10), axis=0), target.kernel), strict=True)
    )
    for name, kernels in kernel_sets.items():
        suffix = retrained_suffix(subject, kernels)
        maps = target.layer.activation(oracles.activations(subject, kernels))
        expected = np.mean(np.argmax(suffix(maps), axis=-1) == subject.labels)
        assert card[name] == pytest.approx(expected, abs=1e-6)
    assert card[names[0]] < card[names[1]]
    assert card["taken_over"][names[0]] == {"latents": 10, "images": 40}


def test_training_repairs_what_follows_kernels_that_are_new(trained_subject, monkeypatch):
    monkeypatch.setattr(retraining, "EPOCHS", 100)
    monkeypatch.setattr(retraining, "LEARNING_RATE", 1e-2)
    # The sign of every channel turned round: all the information is there, and all misread.
    turned = -trained_subject.target.kernel
    before = trained_subject.accuracy(turned)
    after = retraining.retrained_accuracy(trained_subject, turned)
    assert before < 0.6
    assert after > before + 0.2


def test_the_schedule_is_that_of_keras_fit(trained_subject, monkeypatch):
    """The same weights as Keras's own loop over the same batches."""
    monkeypatch.setattr(retraining, "EPOCHS", 1)
    target, dataset = trained_subject.target, trained_subject.dataset
    suffix = retrained_suffix(trained_subject, target.kernel)
    model = keras.models.clone_model(target.classifier)
    model.set_weights(target.classifier.get_weights())
    for layer in model.layers[:2]:
        layer.trainable = False
    steps = len(dataset.x_train) // 64
    schedule = keras.optimizers.schedules.CosineDecay(retraining.LEARNING_RATE, steps)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    stream = image_stream(dataset.x_train, dataset.y_train, 64, seed=7, steps=steps)
    model.fit(stream, verbose=0, shuffle=False)
    for ours, theirs in zip(suffix.weights, model.weights[4:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def skipping(dataset) -> Subject:
    """A network with a path around the layer and, before it, statistics of its own."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    image = keras.Input(dataset.image_shape)
    x = layers.Conv2D(4, 3, strides=2, activation="relu")(image)
    x = layers.BatchNormalization()(x)
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="middle")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Flatten()(layers.Add()([x, y]))
    classifier = keras.Model(image, layers.Dense(dataset.num_classes)(y))
    target = FrozenTarget(classifier, "middle")
    return Subject(target, KernelFunction(lambda latents: None, 3), dataset, seed=5)


def straightforward(subject: Subject, kernels: np.ndarray) -> keras.Model:
    """The suffix re-trained from the images on: everything anew at every step."""
    target, dataset = subject.target, subject.dataset
    suffix = keras.models.clone_model(target.suffix)
    suffix.set_weights(target.suffix.get_weights())
    steps = retraining.EPOCHS * (len(dataset.x_train) // 64)
    schedule = keras.optimizers.schedules.CosineDecay(retraining.LEARNING_RATE, steps)
    adam = keras.optimizers.Adam(schedule)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=target.gives_logits)
    stream = image_stream(dataset.x_train, dataset.y_train, 64, seed=subject.seed, steps=steps)
    for images, labels in stream:
        features = target.features(images)
        activations = target.activations(features, kernels)
        with tf.GradientTape() as tape:
            outputs = target.outputs(activations, features, suffix=suffix, training=True)
            cost = loss(labels, outputs)
        adam.apply(tape.gradient(cost, suffix.trainable_variables), suffix.trainable_variables)
    return suffix


@pytest.mark.parametrize("memory", [batches.MEMORY, 0], ids=["cached", "anew"])
@pytest.mark.parametrize("name", ["trained_subject", "skipping"])
def test_the_suffix_is_that_of_the_straightforward_way(name, memory, request, monkeypatch):
    subject = request.getfixturevalue(name)
    monkeypatch.setattr(retraining, "EPOCHS", 4)
    monkeypatch.setattr(retraining, "LEARNING_RATE", 1e-2)
    monkeypatch.setattr(batches, "MEMORY", memory)
    kernels = 1.5 * subject.target.kernel.numpy()
    ours, theirs = retrained_suffix(subject, kernels), straightforward(subject, kernels)
    moved = 0.0
    before = subject.target.suffix.get_weights()
    for one, other, old in zip(ours.get_weights(), theirs.get_weights(), before, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)
        moved = max(moved, np.abs(one - old).max())
    assert moved > 0.01


def test_the_target_stays_as_it_is(trained_subject):
    before = trained_subject.target.fingerprint()
    retrained_suffix(trained_subject, trained_subject.target.kernel)
    assert trained_subject.target.fingerprint() == before
