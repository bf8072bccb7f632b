"""The evaluation card: one metric a file, registered by name, in the order of the card."""

from keras_filtergan.evaluation import (
    classifier_accuracy,  # noqa: F401  (importing a metric's module registers it)
    swapped_accuracy,  # noqa: F401, I001
    averaged_accuracy,  # noqa: F401
    retrained_accuracy,  # noqa: F401
    activation_variation,  # noqa: F401
    code_r2,  # noqa: F401
    filter_diversity,  # noqa: F401
)
from keras_filtergan.evaluation.registry import Measurement, evaluate, format_card, metric_names
from keras_filtergan.evaluation.subject import Subject

__all__ = ["Measurement", "Subject", "evaluate", "format_card", "metric_names"]
