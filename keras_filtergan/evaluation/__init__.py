"""The evaluation card: one metric a file, registered by name, in the order of the card."""

# Importing a metric's module registers it: this is the order of the card.
# isort: off
from keras_filtergan.evaluation import (  # noqa: F401
    classifier_accuracy,
    swapped_accuracy,
    averaged_accuracy,
    retrained_accuracy,
    activation_variation,
    code_r2,
    code_information,
    filter_diversity,
    activation_frechet_distance,
    critic_accuracy,
    explained_fraction,
    pixel_distance,
    label_agreement,
)

# isort: on
from keras_filtergan.evaluation.baselines import NoisyKernels, PCAGaussian, RandomKernels
from keras_filtergan.evaluation.card import TRAINING_CARD, format_card, full_card, merge_cards
from keras_filtergan.evaluation.registry import Measurement, evaluate, metric_names
from keras_filtergan.evaluation.subject import Subject

__all__ = [
    "TRAINING_CARD",
    "Measurement",
    "NoisyKernels",
    "PCAGaussian",
    "RandomKernels",
    "Subject",
    "evaluate",
    "format_card",
    "full_card",
    "merge_cards",
    "metric_names",
]
