"""Does an ensemble of generated networks know what it does not know?"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Steps, Tell, nobody
from keras_filtergan.instruments.uncertainty.figure import uncertainty_figure
from keras_filtergan.instruments.uncertainty.predictions import (
    auroc,
    disagreement,
    entropy,
    predictive_entropy,
)
from keras_filtergan.instruments.uncertainty.result import Quality, UncertaintyResult
from keras_filtergan.instruments.uncertainty.strange_images import fitted, noise_like, shuffled

BATCH = 250
KNOWN = "known"


@dataclasses.dataclass(frozen=True)
class UncertaintyStudy:
    """What is asked: how many images of each kind, and of how many networks.

    Scores, the higher the stranger: the entropy of one softmax, that of the real network; the
    predictive entropy of the ensemble of networks with generated kernels; their disagreement; and
    the entropy of the network with the averaged activations.

    Attributes:
        images: of each kind.
        networks: kernel sets in the ensemble, 100 as in HyperGAN.
        seed: of the latents and of the strange images.

    Reference:
        Ratzlaff and Li, "HyperGAN: a generative model for diverse, performant neural networks"
        (ICML 2019), section 4.4.
    """

    images: int = 1000
    networks: int = 100
    seed: int = 0

    def __post_init__(self):
        for name in ("images", "networks"):
            if getattr(self, name) < 1:
                raise InputError(f"expected at least 1 as {name}, received {getattr(self, name)}")

    def findings(
        self, specimen: Specimen, others: Sequence[ImageDataset] = (), tell: Tell = nobody
    ) -> Findings:
        """Measure, and draw what was measured.

        Args:
            specimen: with a run.
            others: data sets of strange images; noise and shuffled pixels always count as strange.
            tell: takes each step as it begins.

        Raises:
            InputError: the specimen has no generator.
        """
        kernels = specimen.kernel_sets(self.networks, self.seed)
        known = to_unit_interval(specimen.dataset.x_test[: self.images])
        kinds = {KNOWN: known, **self.strange(known, others)}
        steps, answers = Steps(len(kinds), tell), {}
        for kind, images in kinds.items():
            steps.begin(f"answers to images, {kind}")
            answers[kind] = _answers(specimen.target, images, kernels)
        scores = {kind: _scores(*given) for kind, given in answers.items()}
        labels = specimen.dataset.y_test[: self.images]
        result = UncertaintyResult(
            network=specimen.title,
            **{**dataclasses.asdict(self), "images": len(known)},
            quality=_quality(answers[KNOWN], labels),
            auroc=_table_of(scores, lambda one, kind: auroc(scores[KNOWN][one], kind[one])),
            mean_nats=_table_of(scores, lambda one, kind: float(np.mean(kind[one]))),
        )
        return Findings.of(result, uncertainty_figure(scores, result, KNOWN), _format(result))

    def strange(self, known: np.ndarray, others: Sequence[ImageDataset]) -> dict[str, np.ndarray]:
        """Strange images by kind, each `(n, h, w, c)` in [0, 1]."""
        shape = known.shape[1:]
        sets = {other.name: fitted(other.x_test[: self.images], shape) for other in others}
        return {
            **sets,
            "noise": noise_like(known, self.seed),
            "shuffled": shuffled(known, self.seed),
        }


def _answers(
    target: FrozenTarget, images: np.ndarray, kernels: tf.Tensor
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of the real network, of the averaged one, and `(networks, n, classes)`."""

    @tf.function
    def answer(batch: tf.Tensor) -> list[tf.Tensor]:
        features = target.features(batch)

        def probabilities(one: tf.Tensor | None) -> tf.Tensor:
            scores = target.log_probabilities(target.activations(features, one), features)
            return tf.nn.softmax(scores)

        mean = tf.reduce_mean(kernels, axis=0)
        each = tf.map_fn(probabilities, kernels, fn_output_signature=tf.float32)
        return [probabilities(None), probabilities(mean), tf.transpose(each, [1, 0, 2])]

    real, averaged, each = map_in_batches(
        answer, images, batch_size=images_at_once(target.classifier, BATCH)
    )
    return real, averaged, np.swapaxes(each, 0, 1)


def _scores(real: np.ndarray, averaged: np.ndarray, each: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "one softmax": entropy(real),
        "averaged activations": entropy(averaged),
        "ensemble": predictive_entropy(each),
        "disagreement": disagreement(each),
    }


def _quality(
    answers: tuple[np.ndarray, np.ndarray, np.ndarray], labels: np.ndarray
) -> dict[str, Quality]:
    """Accuracy, and mean negative log-likelihood in nats, on known images."""

    def judge(p: np.ndarray) -> Quality:
        likelihood = p[np.arange(len(labels)), labels].astype(np.float64)
        return Quality(
            accuracy=float(np.mean(p.argmax(axis=-1) == labels)),
            negative_log_likelihood=float(-np.log(np.maximum(likelihood, 1e-12)).mean()),
        )

    real, averaged, each = answers
    networks = {
        "one softmax": real,
        "averaged activations": averaged,
        "ensemble": each.mean(axis=0),
    }
    return {name: judge(p) for name, p in networks.items()}


def _table_of(scores: dict[str, dict], measure) -> dict[str, dict[str, float]]:
    """Kind of image → score → a number."""
    return {kind: {score: measure(score, held) for score in held} for kind, held in scores.items()}


def _format(result: UncertaintyResult) -> str:
    kinds = [kind for kind in result.auroc if kind != KNOWN]
    names = list(result.auroc[KNOWN])
    wide = max(map(len, names)) + 2
    lines = [f"AUROC, {result.networks} networks, {result.images} images of each kind"]
    lines.append(" " * wide + "".join(f"{kind:>16}" for kind in kinds))
    for name in names:
        cells = "".join(f"{result.auroc[kind][name]:16.3f}" for kind in kinds)
        lines.append(name.ljust(wide) + cells)
    for name, quality in result.quality.items():
        lines.append(
            f"{name}: accuracy {quality.accuracy:.4f}, "
            f"negative log-likelihood {quality.negative_log_likelihood:.4f}"
        )
    return "\n".join(lines)
