import dataclasses
import json

import numpy as np
import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import Measurement, evaluate, metric_names
from keras_filtergan.evaluation.registry import METRICS, metric
from keras_filtergan.generators.kernel_source import KernelFunction

CARD = [
    *("classifier_accuracy", "swapped_accuracy", "averaged_accuracy"),
    *("averaged_retrained_accuracy", "control_retrained_accuracy"),
    *("activation_variation", "activation_bias", "code_r2", "code_information"),
    *("filter_diversity", "filter_distance"),
    *("activation_frechet_distance", "critic_accuracy"),
    *("natural_share", "natural_share_of_images", "natural_coverage", "discriminant"),
    *("natural_critic", "natural_critic_of_images"),
    *("explained_fraction", "pixel_distance", "even_share"),
    *("label_agreement", "independent_label_agreement"),
    *("transformed_fraction", "latent_geometry", "geometry_kinds"),
]


@pytest.fixture
def registered():
    """Metrics that a test adds are gone after it."""
    before = dict(METRICS)
    yield
    METRICS.clear()
    METRICS.update(before)


def test_the_card_has_all_metrics_in_the_order_of_the_method():
    assert metric_names() == CARD


def test_a_card_holds_what_is_asked_for_in_that_order_and_its_counts(subject):
    card = evaluate(subject, ["filter_distance", "classifier_accuracy"])
    assert list(card) == ["filter_distance", "classifier_accuracy", "taken_over"]
    assert card["taken_over"] == {
        "filter_distance": {"latents": 20},
        "classifier_accuracy": {"images": 40},
    }


def test_an_unknown_name_is_refused_with_the_names_that_exist(subject):
    with pytest.raises(InputError, match=r"unknown metric 'accuracy', there are: classifier_acc.*"):
        evaluate(subject, ["filter_distance", "accuracy"])


def test_a_metric_is_left_out_or_refused_without_what_it_needs(subject):
    line = KernelFunction(lambda z: subject.kernels(np.repeat(z, 3, axis=1)), 1)
    bare = dataclasses.replace(subject, discriminator=None, kernels=line)
    grids = {"explained_fraction", "pixel_distance", "even_share", "label_agreement"}
    of_t = {"transformed_fraction", "latent_geometry", "geometry_kinds"}  # neither has a T
    left_out = {"code_r2", "code_information", "independent_label_agreement", *grids, *of_t}
    assert metric_names(bare) == [name for name in CARD if name not in left_out]
    assert metric_names(subject) == [
        name for name in CARD if name not in {"independent_label_agreement", *of_t}
    ]
    with pytest.raises(InputError, match="code_r2 needs discriminator, which this subject lacks"):
        evaluate(bare, ["code_r2"])


def test_values_are_plain_and_finite(subject, registered):
    @metric()
    def half(subject):
        return Measurement({"mean": np.float32(0.5), "count": 3}, {"images": np.int64(4)})

    @metric()
    def nothing(subject):
        return Measurement(np.nan)

    card = evaluate(subject, ["half", "nothing"])
    assert json.loads(json.dumps(card, allow_nan=False)) == {
        "half": {"mean": 0.5, "count": 3},
        "nothing": None,
        "taken_over": {"half": {"images": 4}, "nothing": {}},
    }


def test_progress_is_told_metric_by_metric(subject):
    lines = []
    evaluate(subject, ["filter_distance", "filter_diversity"], lines.append)
    assert lines == ["filter_distance (0 s)", "filter_diversity (0 s)"]


def test_the_same_seed_gives_the_same_card_and_another_another(subject):
    names = ["activation_variation", "code_r2", "filter_diversity", "swapped_accuracy"]
    first, again = (evaluate(dataclasses.replace(subject), names) for _ in range(2))
    other = evaluate(dataclasses.replace(subject, seed=8), names)
    assert first == again
    assert other["filter_diversity"] != first["filter_diversity"]
