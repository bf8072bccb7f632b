import dataclasses

import keras
import numpy as np
import oracles
import pytest

from keras_filtergan.evaluation import evaluate, retrained_accuracy
from keras_filtergan.evaluation.retrained_accuracy import retrained_suffix


def test_the_average_of_ten_and_the_control_go_through_the_same_training(stumbling):
    names = ["averaged_retrained_accuracy", "control_retrained_accuracy"]
    subject = dataclasses.replace(stumbling, kernels=lambda z: stumbling.kernels(5 * z))
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
    monkeypatch.setattr(retrained_accuracy, "EPOCHS", 100)
    monkeypatch.setattr(retrained_accuracy, "LEARNING_RATE", 1e-2)
    # The sign of every channel turned round: all the information is there, and all misread.
    turned = -trained_subject.target.kernel
    before = trained_subject.accuracy(turned)
    after = retrained_accuracy.retrained_accuracy(trained_subject, turned)
    assert before < 0.6
    assert after > before + 0.2


def test_the_schedule_is_that_of_keras_fit(trained_subject, monkeypatch):
    """The same weights as Keras's own loop over the same batches."""
    from keras_filtergan.data import image_stream

    monkeypatch.setattr(retrained_accuracy, "EPOCHS", 1)
    target, dataset = trained_subject.target, trained_subject.dataset
    suffix = retrained_suffix(trained_subject, target.kernel)
    model = keras.models.clone_model(target.classifier)
    model.set_weights(target.classifier.get_weights())
    for layer in model.layers[:2]:
        layer.trainable = False
    steps = len(dataset.x_train) // 64
    schedule = keras.optimizers.schedules.CosineDecay(retrained_accuracy.LEARNING_RATE, steps)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy")
    stream = image_stream(dataset.x_train, dataset.y_train, 64, seed=7, steps=steps)
    model.fit(stream, verbose=0, shuffle=False)
    for ours, theirs in zip(suffix.weights, model.weights[4:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_the_target_stays_as_it_is(trained_subject):
    before = trained_subject.target.fingerprint()
    retrained_suffix(trained_subject, trained_subject.target.kernel)
    assert trained_subject.target.fingerprint() == before
