"""The network as it was trained."""

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(of_kernels=False)
def classifier_accuracy(subject: Subject) -> Measurement:
    """Accuracy of the frozen network with its real kernels."""
    value = subject.accuracy(subject.target.kernel)
    return Measurement(value, {"images": len(subject.labels)})
