import numpy as np
import oracles
import pytest

from keras_filtergan.evaluation import evaluate


def test_it_is_the_accuracy_of_each_latent_one_by_one(stumbling):
    maps = oracles.all_activations(stumbling, 100)
    each = [oracles.accuracy(stumbling, one.astype("float32")) for one in maps]
    assert len(set(each)) > 3
    value = evaluate(stumbling, ["swapped_accuracy"])["swapped_accuracy"]
    assert value == pytest.approx(
        {"mean": np.mean(each), "std": np.std(each, ddof=1), "min": min(each), "count": 100}
    )


def test_memorised_kernels_are_the_classifier(memorising):
    card = evaluate(memorising, ["classifier_accuracy", "swapped_accuracy"])
    assert card["swapped_accuracy"]["min"] == card["classifier_accuracy"]
    assert card["swapped_accuracy"]["std"] == pytest.approx(0.0, abs=1e-12)
    assert card["taken_over"]["swapped_accuracy"] == {"latents": 100, "images": 40}
