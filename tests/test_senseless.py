"""Runs that make no sense are told so: at the start if it can be known, on the card otherwise."""

import keras
import numpy as np
import pytest
from commands import one_line, write_npz
from patterns import make_dataset

from keras_filtergan.cli import train_main
from keras_filtergan.evaluation.card import format_card
from keras_filtergan.evaluation.senseless import with_notes

OVER = {"taken_over": {"activation_variation": {"images": 40}}}


@pytest.mark.parametrize(
    ("card", "word"),
    [
        ({"activation_variation": 1e10}, "activations vary 1e+10 times"),
        ({"classifier_accuracy": 0.35}, "the classifier is right on 35.0% of the test images"),
        (
            {"classifier_accuracy": 0.9, "swapped_accuracy": {"mean": 0.3, "count": 10}},
            "under generated kernels the network is right on 30.0%",
        ),
        ({"swapped_accuracy": {"mean": None}}, "swapped_accuracy: not finite"),
    ],
)
def test_a_card_says_what_makes_no_sense(card, word):
    """The most frequent of three classes is that of 14 of 40 images, 35 %."""
    noted = with_notes({**card, **OVER}, make_dataset())
    assert word in noted["notes"][0]
    assert {k: v for k, v in noted.items() if k != "notes"} == {**card, **OVER}


def test_a_card_that_makes_sense_has_no_notes():
    card = {
        "classifier_accuracy": 0.95,
        "swapped_accuracy": {"mean": 0.93},
        "activation_variation": 0.4,
    }
    assert with_notes({**card, "notes": ["of before"]}, make_dataset()) == card


def test_notes_are_printed_below_the_card():
    card = with_notes({"activation_variation": 1e10, **OVER}, make_dataset())
    assert "\nnote: activations vary 1e+10 times" in format_card(card)


def test_one_class_is_refused(tmp_path, capsys):
    npz = write_npz(tmp_path, make_dataset(), y_train=np.ones(96, int))
    assert train_main(["--dataset", npz, "--out", str(tmp_path / "out"), "--dry-run"]) == 2
    assert "expected training images of two classes or more, all are of class '1'" in one_line(
        capsys
    )


def test_a_classifier_with_weights_too_large_is_refused_at_once(tmp_path, capsys):
    """Finite weights and no finite answer: the discriminator is not to blame."""
    image = keras.Input((12, 12, 1))
    x = keras.layers.Conv2D(3, 3, name="chosen")(image)
    model = keras.Model(image, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    npz = write_npz(tmp_path, make_dataset())
    words = ["--dataset", npz, "--classifier", str(tmp_path / "mine.keras"), "--layer", "1"]
    words += ["--out", str(tmp_path / "out"), "--dry-run"]
    model.save(tmp_path / "mine.keras")
    assert train_main(words) == 0
    capsys.readouterr()
    for weight in model.weights:
        weight.assign(np.full(weight.shape, 1e38))
    model.save(tmp_path / "mine.keras")
    assert train_main(words) == 2
    assert "is not finite: its weights are too large" in one_line(capsys)


def test_latents_beyond_memory_are_refused_before_they_are_made(tmp_path, capsys):
    npz = write_npz(tmp_path, make_dataset())
    words = ["--dataset", npz, "--out", str(tmp_path / "out"), "--dry-run", "--memory-limit", "1G"]
    assert train_main([*words, "--latent-dim", "20"]) == 0
    capsys.readouterr()
    assert train_main([*words, "--latent-dim", str(10**9)]) == 2
    line = one_line(capsys)
    assert "a --latent-dim of 1,000,000,000 would need" in line
    assert "the limit is 1.0 GiB; choose a smaller one, or set a higher --memory-limit" in line
