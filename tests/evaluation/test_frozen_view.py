import gc
import weakref

import numpy as np
import oracles

from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.frozen_view import FrozenView
from keras_filtergan.generators.kernel_source import KernelFunction


def test_what_enters_the_suffix_is_the_activation_under_the_given_kernels(subject):
    kernels = subject.kernel_sets(1)[0]
    (maps,) = subject.view.enter_suffix(subject.dataset.x_test, kernels)
    expected = oracles.activations(subject, kernels)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-4)


def test_a_view_goes_with_its_last_subject(target, dataset):
    view = FrozenView(target, dataset)
    view.predict(view.features, target.kernel)
    view.activate(view.features, target.kernel)
    view.enter_suffix(dataset.x_test[:2], target.kernel)
    gone = weakref.ref(view)
    gc.disable()  # without a cycle, counting references is enough
    try:
        del view
        assert gone() is None
    finally:
        gc.enable()


def test_a_whole_card_with_other_kernels_evaluates_the_prefix_once(subject, monkeypatch):
    seen = []
    features = subject.target.features
    monkeypatch.setattr(
        subject.target, "features", lambda images: seen.append(len(images)) or features(images)
    )
    names = ["swapped_accuracy", "activation_variation", "activation_bias"]
    first = evaluate(subject, names)
    assert sum(seen) == 40
    evaluate(subject.with_kernels(KernelFunction(lambda z: 2 * subject.kernels(z), 3)), names)
    assert sum(seen) == 40
    assert evaluate(subject, names) == first
