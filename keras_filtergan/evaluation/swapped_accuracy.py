"""Does the network still work with generated kernels in place of the real ones?"""

import numpy as np

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

LATENTS = 100  # enough for the worst of them to say something


@metric()
def swapped_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the layer's kernels replaced by G(z), nothing re-trained, over latents."""
    latents = subject.latents(LATENTS)
    accuracies = [subject.accuracy(subject.kernels(z[None])[0]) for z in latents]
    value = {
        "mean": float(np.mean(accuracies)),
        "std": float(np.std(accuracies, ddof=1)),
        "min": float(np.min(accuracies)),
        "count": LATENTS,
    }
    return Measurement(value, {"latents": LATENTS, "images": len(subject.labels)})
