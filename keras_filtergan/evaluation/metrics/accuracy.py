"""Does the network still work, with its own kernels, generated ones, and averages of them?"""

import numpy as np

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

SWAPPED_LATENTS = 100  # enough for the worst of them to say something
AVERAGED_LATENTS = 10  # the paper's number, section 4


@metric(of_kernels=False)
def classifier_accuracy(subject: Subject) -> Measurement:
    """Accuracy of the frozen network with its real kernels."""
    value = subject.accuracy(subject.target.kernel)
    return Measurement(value, {"images": len(subject.labels)})


@metric()
def swapped_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the layer's kernels replaced by G(z), nothing re-trained, over latents."""
    latents = subject.latents(SWAPPED_LATENTS)
    accuracies = [subject.accuracy(subject.kernels(z[None])[0]) for z in latents]
    value = {
        "mean": float(np.mean(accuracies)),
        "std": float(np.std(accuracies, ddof=1)),
        "min": float(np.min(accuracies)),
        "count": SWAPPED_LATENTS,
    }
    return Measurement(value, {"latents": SWAPPED_LATENTS, "images": len(subject.labels)})


@metric()
def averaged_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the activations of 10 latents averaged, nothing re-trained."""
    value = subject.accuracy(subject.mean_kernels(AVERAGED_LATENTS))
    return Measurement(value, {"latents": AVERAGED_LATENTS, "images": len(subject.labels)})
