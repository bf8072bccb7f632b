import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import mutual_info_score, roc_auc_score

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.uncertainty.predictions import (
    auroc,
    disagreement,
    entropy,
    predictive_entropy,
)


def answers(networks=5, images=30, classes=4):
    draw = np.random.default_rng(0).exponential(size=(networks, images, classes)) ** 3
    return draw / draw.sum(axis=-1, keepdims=True)


def test_entropy_is_scipys():
    p = answers()
    np.testing.assert_allclose(entropy(p), scipy.stats.entropy(p, axis=-1), rtol=1e-9)
    assert entropy(np.array([1.0, 0.0, 0.0])) == 0


def test_predictive_entropy_is_that_of_the_mean():
    p = answers()
    expected = [scipy.stats.entropy(p[:, i].mean(axis=0)) for i in range(p.shape[1])]
    np.testing.assert_allclose(predictive_entropy(p), expected, rtol=1e-9)


def test_disagreement_is_the_information_between_network_and_answer():
    """Answers in twelfths: every network as often as its probabilities say."""
    p = np.array([[[0.5, 0.5, 0]], [[0.25, 0.25, 0.5]], [[0, 1, 0]]])
    network, answer = [], []
    for k in range(3):
        for c in range(3):
            network += [k] * round(12 * p[k, 0, c])
            answer += [c] * round(12 * p[k, 0, c])
    assert disagreement(p)[0] == pytest.approx(mutual_info_score(network, answer))


def test_unsure_alike_is_no_disagreement():
    p = np.repeat(answers(networks=1), 7, axis=0)
    np.testing.assert_allclose(disagreement(p), 0, atol=1e-12)
    assert np.all(predictive_entropy(p) > 0)


def test_auroc_is_sklearns_with_ties():
    generator = np.random.default_rng(0)
    known, strange = generator.integers(0, 9, 50), generator.integers(3, 12, 80)
    labels = np.r_[np.zeros(50), np.ones(80)]
    expected = roc_auc_score(labels, np.r_[known, strange])
    assert auroc(known, strange) == pytest.approx(expected)
    assert auroc([1.0, 1.0], [1.0]) == 0.5


def test_no_scores():
    with pytest.raises(InputError, match="received none"):
        auroc([], [1.0])
