"""The metrics of the card, a file for each family."""

# Importing a module registers its metrics: this is the order of the card.
# isort: off
from keras_filtergan.evaluation.metrics import (  # noqa: F401
    accuracy,
    retraining,
    activations,
    code,
    filters,
    frechet_distance,
    critic,
    natural,
    natural_critic,
    walks,
    transformation,
)
