import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from keras_filtergan.errors import InputError
from keras_filtergan.instruments.uncertainty.predictions import (
    disagreement,
    entropy,
    predictive_entropy,
)
from keras_filtergan.instruments.uncertainty.strange_images import fitted, noise_like
from keras_filtergan.instruments.uncertainty.study import UncertaintyStudy
from keras_filtergan.layers import GeneratedConv2D

STUDY = UncertaintyStudy(images=20, networks=3, seed=5)


def by_networks(specimen, images):
    """The ensemble's answers by three whole networks, one latent each, and by their mean."""
    z = np.random.default_rng(5).standard_normal((3, 3)).astype("float32")
    networks = [
        specimen.target.network_with(GeneratedConv2D(specimen.run.generator, latents=one))
        for one in [*z, z]
    ]
    *each, averaged = [tf.nn.softmax(network(images)).numpy() for network in networks]
    return averaged, np.stack(each)


def test_scores_are_those_of_the_networks(specimen):
    images = specimen.dataset.x_test[:20] / np.float32(255)
    found = STUDY.findings(specimen).numbers
    scores = {}
    for kind, x in (("known", images), ("noise", noise_like(images, seed=5))):
        averaged, each = by_networks(specimen, x)
        scores[kind] = {
            "one softmax": entropy(tf.nn.softmax(specimen.target.classifier(x))),
            "averaged activations": entropy(averaged),
            "ensemble": predictive_entropy(each),
            "disagreement": disagreement(each),
        }
    labels = np.r_[np.zeros(20), np.ones(20)]
    for name, known in scores["known"].items():
        both = np.r_[known, scores["noise"][name]]
        assert found["mean_nats"]["known"][name] == pytest.approx(known.mean(), rel=1e-3)
        expected = roc_auc_score(labels, both)
        assert found["auroc"]["noise"][name] == pytest.approx(expected, abs=0.006)


def test_quality_on_known_images(specimen):
    found = STUDY.findings(specimen).numbers["quality"]
    images, labels = specimen.dataset.x_test[:20], specimen.dataset.y_test[:20]
    _, each = by_networks(specimen, images / np.float32(255))
    p = each.mean(axis=0)
    assert found["ensemble"]["accuracy"] == np.mean(p.argmax(-1) == labels)
    likelihood = p[np.arange(20), labels]
    expected = pytest.approx(-np.log(likelihood).mean(), rel=1e-4)
    assert found["ensemble"]["negative_log_likelihood"] == expected


def test_other_data_sets_are_strange(specimen, dataset):
    other = dataclasses.replace(dataset, name="others", x_test=255 - dataset.x_test)
    strange = STUDY.strange(specimen.dataset.x_test[:20] / np.float32(255), [other])
    assert set(strange) == {"others", "noise", "shuffled"}
    np.testing.assert_allclose(strange["others"], fitted(other.x_test[:20], (12, 12, 1)))
    many = [dataclasses.replace(other, name=f"others {i}") for i in range(4)]  # more than styles
    figure = STUDY.findings(specimen, many).figure
    texts = [t.get_text().partition(",")[0] for t in figure.axes[0].get_legend().get_texts()]
    assert texts == ["known", *(f"others {i}" for i in range(4)), "noise", "shuffled"]


def test_bad_input(bare):
    with pytest.raises(InputError, match="expected a `run` with a generator"):
        STUDY.findings(bare)
    with pytest.raises(InputError, match="at least 1 as networks, received 0"):
        UncertaintyStudy(networks=0)
