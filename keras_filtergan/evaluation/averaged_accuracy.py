"""The paper's pooling over learned transformations, without re-training."""

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

LATENTS = 10  # the paper's number, section 4


@metric()
def averaged_accuracy(subject: Subject) -> Measurement:
    """Accuracy with the activations of 10 latents averaged, nothing re-trained."""
    value = subject.accuracy(subject.mean_kernels(LATENTS))
    return Measurement(value, {"latents": LATENTS, "images": len(subject.labels)})
