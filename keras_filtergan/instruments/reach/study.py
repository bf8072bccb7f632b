"""How much of each known change of images the kernels of each layer can make."""

import dataclasses

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.kernel_regression import RIDGE, KernelRegression
from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.batches import map_in_batches, slices
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.images.known_changes import Change, known_changes
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.reach.figure import reach_figure
from keras_filtergan.instruments.reach.result import LayerReach, ReachResult
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Steps, Tell, nobody

BATCH = 100


@dataclasses.dataclass(frozen=True)
class ReachStudy:
    """What is asked: of how many images.

    For each convolution and each known change c, the kernels are sought that make of an image x
    what the real ones make of c(x): the change of kernels that comes nearest in closed form
    (`KernelRegression`), from training images. On test images then

    * the **share** of the change that they make, 1 − Σ‖a(x|W + K) − a(c(x)|W)‖² /
      Σ‖a(x|W) − a(c(x)|W)‖²: 1 if kernels can do it, 0 if the real ones are as near;
    * the **accuracy** that the network keeps with these kernels, next to that on c(x).

    Attributes:
        images: training images of the fit, and as many test images at most.
        layer: name of the one layer to look at; all of them if not given.
        ridge: of `KernelRegression`.

    Example:
        >>> ReachStudy(images=500).findings(specimen).numbers["layers"]["conv4"]["share"]["slant"]
        0.71
    """

    images: int = 1000
    layer: str | None = None
    ridge: float = RIDGE

    def __post_init__(self):
        if self.images < 1:
            raise InputError(f"expected at least 1 as images, received {self.images}")

    def findings(self, specimen: Specimen, tell: Tell = nobody) -> Findings:
        """Fit, measure, and draw what was measured.

        Args:
            specimen: the network, with a run or without.
            tell: takes each step as it begins.

        Raises:
            InputError: no such layer, or none that can be chosen.
        """
        dataset = specimen.dataset
        changes = known_changes(specimen.target.image_shape)
        train, test = (
            to_unit_interval(x[: self.images]) for x in (dataset.x_train, dataset.x_test)
        )
        labels = dataset.y_test[: self.images]
        targets = self._targets(specimen)
        steps = Steps(len(targets), tell)
        moved = {name: _accuracy(specimen.target, test, labels, c) for name, c in changes.items()}
        layers = {}
        for name, target in targets.items():
            steps.begin(f"kernels of {name}")
            layers[name] = _layer(target, changes, train, test, labels, self.ridge)
        result = ReachResult(
            network=specimen.title,
            images={"fit": len(train), "measured": len(test)},
            classifier_accuracy=_accuracy(specimen.target, test, labels),
            accuracy_on_changed_images=moved,
            layers=layers,
        )
        return Findings.of(result, reach_figure(result), _table(result))

    def _targets(self, specimen: Specimen) -> dict[str, FrozenTarget]:
        classifier = specimen.target.classifier
        if self.layer is not None:
            target = FrozenTarget(classifier, self.layer)
            return {target.layer_name: target}
        found = {}
        for name in convolution_layers(classifier):
            try:
                found[name] = FrozenTarget(classifier, name)
            except InputError:  # a layer that cannot be chosen, as one that is applied twice
                continue
        return found


def _layer(
    target: FrozenTarget,
    changes: dict[str, Change],
    train: np.ndarray,
    test: np.ndarray,
    labels: np.ndarray,
    ridge: float,
) -> LayerReach:
    """Shares and accuracies of one layer."""
    wanted = tf.function(lambda batch: _wanted(target, changes, batch))
    regression = KernelRegression(target, len(changes), ridge)
    at_once = images_at_once(target.classifier, BATCH)
    for batch in slices(len(train), at_once):
        regression.add(*wanted(tf.constant(train[batch])))
    kernels = target.kernel + regression.solve()  # (changes, kh, kw, cin, cout)
    left, total = np.zeros(len(changes)), np.zeros(len(changes))
    right = np.zeros(len(changes))
    for batch in slices(len(test), at_once):
        images = tf.constant(test[batch])
        features, (_, asked) = target.features(images), wanted(images)
        real = target.activations(features)
        for i, change in enumerate(asked):
            maps = target.activations(features, kernels[i])
            left[i] += float(tf.reduce_sum(tf.square(real + change - maps)))
            total[i] += float(tf.reduce_sum(tf.square(change)))
            answers = np.argmax(target.outputs(maps, features), axis=-1)
            right[i] += np.sum(answers == labels[batch])
    share = np.divide(total - left, total, out=np.full(len(total), np.nan), where=total > 0)
    return LayerReach(
        kernels=list(target.kernel_shape),
        maps=list(target.activation_shape),
        share=dict(zip(changes, share.tolist(), strict=True)),
        accuracy=dict(zip(changes, (right / len(test)).tolist(), strict=True)),
    )


def _wanted(
    target: FrozenTarget, changes: dict[str, Change], batch: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """The layer's input, and by how much each change changes its output."""
    features = target.features(batch)
    real = target.activations(features)
    return features[0], [
        target.activations(target.features(change(batch))) - real for change in changes.values()
    ]


def _accuracy(
    target: FrozenTarget, images: np.ndarray, labels: np.ndarray, change: Change = lambda x: x
) -> float:
    answer = tf.function(lambda batch: target(change(batch)))
    at_once = images_at_once(target.classifier, BATCH)
    [scores] = map_in_batches(
        lambda batch: [answer(tf.constant(batch))], images, batch_size=at_once
    )
    return float(np.mean(np.argmax(scores, axis=-1) == labels))


def _table(result: ReachResult) -> str:
    """Shares, and behind each the accuracy that it leaves, a layer a line."""
    layers, names = result.layers, result.changes
    width = max(11, *map(len, names)) + 2
    lines = [" ".join(["layer".ljust(12), *(name.rjust(width) for name in names)])]
    for layer, found in layers.items():
        cells = [f"{found.share[n]:.2f} ({found.accuracy[n]:.3f})" for n in names]
        lines.append(" ".join([layer.ljust(12), *(cell.rjust(width) for cell in cells)]))
    moved = [f"({result.accuracy_on_changed_images[n]:.3f})" for n in names]
    lines.append(" ".join(["images moved", *(cell.rjust(width) for cell in moved)]))
    lines.append(f"accuracy of the classifier: {result.classifier_accuracy:.4f}")
    small = [name for name, found in layers.items() if found.maps[:2] == [1, 1]]
    if small:
        lines.append(
            f"note: {', '.join(small)} has maps of 1 × 1, in which nothing can move: its share "
            "says how well one place tells the change from the rest of what it sees"
        )
    return "\n".join(lines)
