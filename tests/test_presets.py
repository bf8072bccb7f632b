import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.runs.presets import PRESETS, preset
from keras_filtergan.runs.settings import Settings


def test_presets_are_settings_of_what_they_are_called():
    assert {name: preset(name).layer for name in ("paper-layer4", "paper-layer2")} == {
        "paper-layer4": 4,
        "paper-layer2": 2,
    }
    assert preset("paper-layer4").dataset == preset("paper-layer2").dataset == "mnist"
    assert preset("quick").steps < Settings().steps / 5
    assert preset("quick").classifier_epochs == 1


def test_a_preset_says_how_long_it_takes_and_with_which_command():
    for name, make in PRESETS.items():
        assert f"python train.py --preset {name}" in make.__doc__
        assert "minute" in make.__doc__


def test_unknown_presets_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown preset 'paper-layer3'.*paper-layer2.*quick"):
        preset("paper-layer3")
