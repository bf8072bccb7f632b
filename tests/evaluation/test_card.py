import dataclasses
import json

import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import (
    TRAINING_CARD,
    evaluate,
    format_card,
    full_card,
    merge_cards,
    metric_names,
)

NAMES = ["classifier_accuracy", "swapped_accuracy", "code_r2", "filter_distance"]


@pytest.fixture
def card(subject):
    return full_card(subject, NAMES)


def test_the_training_card_is_the_cheap_part_of_the_card_in_its_order(subject):
    assert [name for name in metric_names() if name in TRAINING_CARD] == list(TRAINING_CARD)
    assert not {"critic_accuracy", "explained_fraction"} & set(TRAINING_CARD)
    assert set(TRAINING_CARD) <= set(metric_names(subject))


def test_the_report_is_the_card_and_one_for_each_baseline(card, subject):
    own = evaluate(subject, NAMES)
    assert {key: card[key] for key in own} == own
    assert list(card["baselines"]) == ["random", "noisy", "pca", "pca_matched", "known_changes"]
    for baseline in card["baselines"].values():
        kept = ["classifier_accuracy", "swapped_accuracy", "filter_distance"]
        assert list(baseline) == [*kept, "taken_over"]  # no code head, no code_r2
        assert list(baseline["taken_over"]) == kept
        assert baseline["classifier_accuracy"] == own["classifier_accuracy"]
        assert baseline["filter_distance"] != own["filter_distance"]
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_matched_baselines_vary_as_the_subject_does(subject):
    card = full_card(subject, ["activation_variation"])
    for name in ("noisy", "pca_matched", "known_changes"):
        expected = pytest.approx(card["activation_variation"], rel=1e-3)
        assert card["baselines"][name]["activation_variation"] == expected


def test_the_independent_network_is_made_once(trained_subject, monkeypatch):
    from keras_filtergan.evaluation import grids

    monkeypatch.setattr(grids, "IMAGES", 1)
    monkeypatch.setattr(grids, "GRID", 3)
    made = []

    def train():
        made.append(1)
        return trained_subject.target.classifier

    subject = dataclasses.replace(trained_subject, independent_classifier=train)
    card = full_card(subject, ["independent_label_agreement"])
    assert made == [1]
    assert "independent_label_agreement" in card["baselines"]["pca"]


@pytest.mark.slow
def test_progress_names_subject_and_metric(subject, card):
    lines = []
    full_card(subject, ["classifier_accuracy", "filter_distance"], lines.append)
    assert [line.split(" (")[0] for line in lines] == [
        "generator: classifier_accuracy",
        "generator: filter_distance",
        *(f"{name}: filter_distance" for name in card["baselines"]),
    ]


def test_a_wrong_name_is_refused(subject):
    with pytest.raises(InputError, match="unknown metric 'speed'"):
        full_card(subject, ["speed"])


def test_the_table_has_a_column_a_subject_and_a_line_a_number():
    over = {"images": 1000}
    swapped = {"mean": 0.5, "min": 0.25, "count": 20}
    card = {
        "swapped_accuracy": swapped,
        "code_r2": 0.75,
        "explained_fraction": None,
        "taken_over": {"swapped_accuracy": {"latents": 20, **over}, "code_r2": over}
        | {"explained_fraction": {}},
        "baselines": {
            "noisy": {
                "swapped_accuracy": {"mean": 0.125, "min": 0.0, "count": 20},
                "explained_fraction": -1.5,
                "taken_over": {},
            }
        },
    }
    assert format_card(card).splitlines() == [
        "                       generator    noisy  taken over",
        "swapped_accuracy.mean     0.5000   0.1250  20 latents, 1,000 images",
        "swapped_accuracy.min      0.2500   0.0000  20 latents, 1,000 images",
        "code_r2                   0.7500        –  1,000 images",
        "explained_fraction             –  -1.5000",
    ]


def test_the_table_of_one_card_has_one_column():
    card = {"code_r2": 0.5, "taken_over": {"code_r2": {"images": 7}}}
    assert format_card(card).splitlines() == [
        "         generator  taken over",
        "code_r2     0.5000  7 images",
    ]


def test_a_newer_card_replaces_what_it_measured_and_nothing_else():
    held = {
        "a": 1.0,
        "b": 2.0,
        "taken_over": {"a": {"images": 5}, "b": {"images": 5}},
        "baselines": {"noisy": {"a": 3.0, "taken_over": {"a": {"images": 5}}}},
    }
    new = {
        "b": 4.0,
        "taken_over": {"b": {"images": 9}},
        "baselines": {"noisy": {"b": 5.0, "taken_over": {"b": {"images": 9}}}},
    }
    assert merge_cards(held, new) == {
        "a": 1.0,
        "b": 4.0,
        "taken_over": {"a": {"images": 5}, "b": {"images": 9}},
        "baselines": {
            "noisy": {"a": 3.0, "b": 5.0, "taken_over": {"a": {"images": 5}, "b": {"images": 9}}}
        },
    }
