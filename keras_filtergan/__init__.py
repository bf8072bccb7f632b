"""Which invariances has a trained CNN learned, and can we hold them in our hands?

Filters of one layer of a frozen CNN from a generator, trained adversarially on the activations
they cause: an implementation of Kilcher, Bécigneul, Hofmann (2017), *Parametrizing filters of a CNN
with a GAN*. Names are imported on first use, so that `import keras_filtergan` costs nothing.
"""

from typing import TYPE_CHECKING

from keras_filtergan.lazy import offer

__version__ = "0.1.0"

if TYPE_CHECKING:  # so that editors and type checkers know what the names are
    from keras_filtergan import data, evaluation, instruments, layers, plots
    from keras_filtergan.augmentation.augmentation import Augmentation
    from keras_filtergan.augmentation.recipe import Recipe
    from keras_filtergan.classifiers.classifier import build_classifier, train_classifier
    from keras_filtergan.classifiers.target import FrozenTarget
    from keras_filtergan.convolution import convolve
    from keras_filtergan.errors import DivergenceError, InputError
    from keras_filtergan.evaluation.card import full_card
    from keras_filtergan.evaluation.registry import evaluate
    from keras_filtergan.gan.bending import ImageBending
    from keras_filtergan.gan.filtergan import FilterGAN
    from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN
    from keras_filtergan.gan.transformation import ImageTransformation
    from keras_filtergan.generators.discriminator import Discriminator
    from keras_filtergan.generators.filter_generator import FilterGenerator
    from keras_filtergan.generators.linear_filter_generator import LinearFilterGenerator
    from keras_filtergan.generators.saved_generator import load_generator
    from keras_filtergan.images import parametrizations, priors
    from keras_filtergan.inversion.directions import principal_directions
    from keras_filtergan.inversion.inversion import Inverter
    from keras_filtergan.inversion.walks import Walk
    from keras_filtergan.report.report import write_report
    from keras_filtergan.runs import presets
    from keras_filtergan.runs.gallery import draw_gallery
    from keras_filtergan.runs.settings import Settings
    from keras_filtergan.runs.trained import TrainedRun
    from keras_filtergan.runs.training import plan, train
    from keras_filtergan.runs.view import View

__getattr__, __dir__, __all__ = offer(
    globals(),
    {
        "Augmentation": "augmentation.augmentation",
        "DivergenceError": "errors",
        "Discriminator": "generators.discriminator",
        "FilterGAN": "gan.filtergan",
        "FilterGenerator": "generators.filter_generator",
        "FrozenTarget": "classifiers.target",
        "ImageBending": "gan.bending",
        "ImageTransformation": "gan.transformation",
        "InputError": "errors",
        "Inverter": "inversion.inversion",
        "LinearFilterGenerator": "generators.linear_filter_generator",
        "NaturalFilterGAN": "gan.natural_filtergan",
        "Recipe": "augmentation.recipe",
        "Settings": "runs.settings",
        "TrainedRun": "runs.trained",
        "View": "runs.view",
        "Walk": "inversion.walks",
        "build_classifier": "classifiers.classifier",
        "convolve": "convolution",
        "draw_gallery": "runs.gallery",
        "evaluate": "evaluation.registry",
        "full_card": "evaluation.card",
        "load_generator": "generators.saved_generator",
        "plan": "runs.training",
        "principal_directions": "inversion.directions",
        "train": "runs.training",
        "train_classifier": "classifiers.classifier",
        "write_report": "report.report",
    },
    modules={
        "data": "data",
        "evaluation": "evaluation",
        "instruments": "instruments",
        "layers": "layers",
        "parametrizations": "images.parametrizations",
        "plots": "plots",
        "presets": "runs.presets",
        "priors": "images.priors",
    },
)
