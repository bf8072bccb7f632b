"""The evaluation card: metrics registered by name, in the order of the card."""

from keras_filtergan.evaluation import metrics  # noqa: F401, registers them
from keras_filtergan.evaluation.baselines import NoisyKernels, PCAGaussian, RandomKernels
from keras_filtergan.evaluation.card import (
    TRAINING_CARD,
    format_card,
    format_cards,
    format_table,
    full_card,
    merge_cards,
)
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
    "format_cards",
    "format_table",
    "full_card",
    "merge_cards",
    "metric_names",
]
