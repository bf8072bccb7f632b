import dataclasses

import averaging
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.evaluation import Subject
from keras_filtergan.generators.kernel_source import KernelFunction


@pytest.fixture
def subject(classifier, dataset):
    """A network that is undecided on average, so that its answers hang on little."""
    weights = classifier.get_weights()
    classifier = keras.models.clone_model(classifier)
    classifier.set_weights(weights)
    logits = classifier.get_layer("logits")
    logits.bias.assign_sub(np.mean(classifier(dataset.x_test / np.float32(255)), axis=0))
    return Subject(
        FrozenTarget(classifier, 4),
        kernels=KernelFunction(lambda latents: None, 2),
        dataset=dataset,
    )


def averaged_by_hand(classifier, images, kernel_sets):
    """Put each kernel set into the network, and read the ReLU behind the convolution."""
    layer, rectifier = classifier.get_layer("conv4"), classifier.get_layer("relu4")
    part = keras.Model(classifier.input, rectifier.output)
    real = layer.kernel.numpy()
    maps = []
    for kernels in kernel_sets:
        layer.kernel.assign(kernels)
        maps.append(part(images, training=False).numpy())
    layer.kernel.assign(real)
    return np.mean(maps, axis=0)


def test_what_is_pooled_is_the_average_behind_the_relu(subject, monkeypatch):
    """Without re-training, the head answers as it does on the average that is made by hand."""
    monkeypatch.setattr(averaging, "retrain", lambda *_: None)
    classifier, dataset = subject.target.classifier, subject.dataset
    real = subject.target.kernel.numpy()
    noise = np.random.default_rng(0).normal(0, 2 * real.std(), (3, *real.shape))
    kernel_sets = (real + noise).astype("float32")
    pooled = averaged_by_hand(classifier, dataset.x_test / np.float32(255), kernel_sets)
    head = keras.Model(classifier.get_layer("relu4").output, classifier.output)
    answers = np.argmax(head(pooled), axis=-1)
    told = dataclasses.replace(subject, dataset=dataclasses.replace(dataset, y_test=answers))
    assert averaging.pooled_accuracy(told, tf.constant(kernel_sets)) == 1.0
    assert told.accuracy(tf.constant(kernel_sets.mean(axis=0))) < 1.0  # another question


def test_the_classifier_stays_as_it_is(subject):
    before = [weight.numpy().copy() for weight in subject.target.classifier.weights]
    averaging.pooled_accuracy(subject, subject.target.kernel[None])
    for weight, old in zip(subject.target.classifier.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_runs_count_once_however_many_orders_they_have():
    gains = {"a": (0.1, 0.3), "b": (0.4, 0.6), "c": (0.8, 0.8)}
    rows = [{"run": run, "real": 0.0, "averaged": g} for run, two in gains.items() for g in two]
    mean, error = averaging.mean_gain(rows, "averaged", "real")
    assert mean == pytest.approx(0.5)
    assert error == pytest.approx(0.3 / np.sqrt(3))  # of 0.2, 0.5, 0.8
    of_one = averaging.mean_gain(rows[:2], "averaged", "real")
    assert of_one == pytest.approx((0.2, 0.1))  # of 0.1 and 0.3
