"""Which invariances has a trained CNN learned, and can we hold them in our hands?

Filters of one layer of a frozen CNN from a generator, trained adversarially on the activations
they cause: an implementation of Kilcher, Bécigneul, Hofmann (2017), *Parametrizing filters of a CNN
with a GAN*. Names are imported on first use, so that `import keras_filtergan` costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Augmentation": "augmentation.augmentation",
    "DivergenceError": "errors",
    "Discriminator": "generators.networks",
    "FilterGAN": "gan.filtergan",
    "FilterGenerator": "generators.networks",
    "FrozenTarget": "classifiers.target",
    "ImageTransformation": "gan.transformation",
    "InputError": "errors",
    "Inverter": "inversion.inversion",
    "Recipe": "augmentation.recipe",
    "Settings": "runs.settings",
    "TrainedRun": "runs.trained",
    "Walk": "inversion.walks",
    "build_classifier": "classifiers.classifier",
    "convolve": "convolution",
    "load_generator": "generators.saved_generator",
    "principal_directions": "inversion.directions",
    "train_classifier": "classifiers.classifier",
}
_MODULES = {
    "data": "data",
    "evaluation": "evaluation",
    "layers": "layers",
    "parametrizations": "images.parametrizations",
    "plots": "plots",
    "priors": "images.priors",
}

__all__ = sorted([*_HOMES, *_MODULES])


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"{__name__}.{_MODULES[name]}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
