import re

import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.runs.presets import PRESETS, preset


def test_presets_are_settings_of_what_they_are_called():
    for name in PRESETS:
        if called := re.search(r"layer(\d)", name):
            assert preset(name).layer == int(called[1])
            assert preset(name).dataset == "mnist"  # the paper's
        assert preset(name).method == ("infogan" if name.startswith("infogan") else "natural")


def test_a_preset_says_how_long_it_takes_and_with_which_command():
    for name, make in PRESETS.items():
        assert f"python train.py --preset {name}" in make.__doc__
        assert "minute" in make.__doc__


def test_unknown_presets_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"unknown preset 'paper-layer3'.*paper-layer2.*quick"):
        preset("paper-layer3")
