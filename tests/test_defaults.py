"""Defaults stand in one place, and names are known without importing what they stand for."""

import dataclasses
import inspect
import subprocess
import sys

import pytest

from keras_filtergan.cli.train import train_main
from keras_filtergan.errors import InputError
from keras_filtergan.gan.hyperparameters import INFOGAN, NATURAL
from keras_filtergan.gan.methods import DEFAULTS, METHODS
from keras_filtergan.generators.architectures import GENERATORS, get_architecture
from keras_filtergan.images.choices import PARAMETRIZATIONS, WALK_PRIORS
from keras_filtergan.names import Registry, by_name
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.view import View

REGISTRIES = {"methods": METHODS, "generators": GENERATORS, "coordinates": PARAMETRIZATIONS}


@pytest.mark.parametrize("method", METHODS)
def test_a_gan_takes_its_defaults_from_the_hyperparameters_of_its_method(method):
    arguments = {}
    for kind in reversed(METHODS[method].__mro__):
        if "__init__" in vars(kind) and kind.__module__.startswith("keras_filtergan"):
            arguments |= inspect.signature(kind.__init__).parameters
    wanted = dataclasses.asdict(DEFAULTS[method])
    for name in METHODS[method].hyperparameters:
        assert arguments[name].default == wanted[name], name


def test_settings_are_those_of_the_natural_method():
    wanted = dataclasses.asdict(NATURAL)
    held = Settings().to_dict()
    assert {name: held[name] for name in wanted} == wanted
    assert set(wanted) <= {field.name for field in dataclasses.fields(Settings)}


def test_settings_of_a_method_have_its_weights_and_what_else_is_given():
    settings = Settings.of_method("infogan", layer=2)
    assert (settings.method, settings.layer) == ("infogan", 2)
    assert settings.variation_goal == INFOGAN.variation_goal != NATURAL.variation_goal
    assert settings.architecture == "shared"
    assert Settings.of_method("natural") == Settings()


def test_the_command_line_starts_from_the_settings_of_the_method(capsys):
    assert train_main(["--method", "infogan", "--dry-run"]) == 0
    assert '"image_weight": 5.0' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "nature"}, "unknown method 'nature'.*did you mean 'natural'"),
        ({"architecture": "share"}, "unknown architecture 'share'.*linear, shared, dcgan"),
    ],
)
def test_unknown_names_are_refused_before_anything_is_trained(arguments, message):
    with pytest.raises(InputError, match=message):
        Settings(**arguments)
    with pytest.raises(InputError, match="unknown method"):
        Settings.of_method("info")


def test_a_view_knows_its_names():
    with pytest.raises(InputError, match="unknown parametrization 'pixel'"):
        View(parametrization="pixel")
    with pytest.raises(InputError, match="unknown prior 'nothing'"):
        View(prior="nothing")


@pytest.mark.parametrize("name", REGISTRIES)
def test_everything_that_is_listed_is_there(name):
    registry = REGISTRIES[name]
    assert len(registry) == len(list(registry)) > 1
    for one in registry:
        assert one in registry
        assert callable(registry[one])
    assert "nothing of the kind" not in registry


def test_every_architecture_has_both_networks():
    for name in GENERATORS:
        generator, discriminator = get_architecture(name)
        assert issubclass(generator, GENERATORS["shared"])
        assert discriminator.__name__.endswith("Discriminator")


def test_a_registry_imports_what_is_chosen_and_no_more():
    code = (
        "import sys; from keras_filtergan.names import Registry;"
        "known = Registry({'text': 'errors:InputError', 'heavy': 'gan.filtergan:FilterGAN'});"
        "print(list(known), known['text'].__name__, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['text', 'heavy'] InputError False"


def test_what_is_looked_up_by_name_may_be_a_registry():
    known = Registry({"prior": "images.priors:WALK_TOTAL_VARIATION"})
    assert by_name("prior", "prior", known) is WALK_PRIORS["total_variation"]
    with pytest.raises(InputError, match=r"unknown prior 'pior'.*did you mean 'prior'"):
        by_name("prior", "pior", known)
