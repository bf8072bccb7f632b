"""Why a network is stable: smooth kernels, slow activations, channels that go together."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.choice import CONVOLUTIONS, convolution_layers
from keras_filtergan.classifiers.graph import layers_by_path
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.files import plain
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.initialisation import at_initialisation
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.spectra.channel_permutation import (
    fit_normalisations,
    permuted_channels,
)
from keras_filtergan.instruments.spectra.figure import spectra_figure
from keras_filtergan.instruments.spectra.laplacian import LaplacianBasis
from keras_filtergan.instruments.spectra.layer_spectra import layer_spectra
from keras_filtergan.instruments.spectra.local_deformations import local_stability
from keras_filtergan.instruments.spectra.receptive_field import receptive_field, visible
from keras_filtergan.instruments.spectra.result import (
    KernelSpectrum,
    NetworkStability,
    SpectraResult,
    UnitStability,
)
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms
from keras_filtergan.instruments.stability.relative_stability import (
    Record,
    recorder,
    relative_stability,
    temperatures,
)
from keras_filtergan.instruments.steps import Begin, Steps, Tell, nobody, quietly

CUT = 3  # highest frequency of the smooth deformations
MOST_LAYERS = 8  # whose units are looked at
BATCH = 100


@dataclasses.dataclass(frozen=True)
class SpectraStudy:
    """What is asked: how many images and draws.

    Attributes:
        images: how many test images.
        draws: how many initialisations, kernel sets, and permutations of channels.
        seed: of everything that is drawn.

    Raises:
        InputError: a number below 1.

    Example:
        >>> found = SpectraStudy(images=200).findings(specimen)
        >>> found.numbers["kernels"]["conv4"]["roughness"]
        {'initial': 2.69, 'trained': 2.42, 'generated': 2.45}
    """

    images: int = 200
    draws: int = 3
    seed: int = 0

    def __post_init__(self):
        for name in ("images", "draws"):
            if getattr(self, name) < 1:
                raise InputError(f"expected at least 1 as {name}, received {getattr(self, name)}")

    def findings(self, specimen: Specimen, tell: Tell = nobody) -> Findings:
        """Measure, and draw what was measured.

        Args:
            specimen: the network, with a run or without.
            tell: takes each step as it begins.
        """
        images = to_unit_interval(specimen.dataset.x_test[: self.images])
        paths = _chosen_paths(specimen.target.classifier)
        kinds = 4 + (specimen.run is not None)
        steps = Steps(1 + (kinds - 2) + kinds + len(paths), tell)
        steps.begin("networks")
        networks = self.networks(specimen)
        records: dict[str, list[Any]] = {
            name: [one.record for one in several] for name, several in networks.items()
        }
        if specimen.run is not None:
            sets = specimen.kernel_sets(self.draws, self.seed)
            records["generated"] = [recorder(specimen.target, one) for one in sets]
        records = {name: [tf.function(one) for one in several] for name, several in records.items()}
        controls = ("normalised", "permuted")
        as_they_are = {name: one for name, one in records.items() if name not in controls}
        labels = specimen.dataset.y_test[: self.images]
        result = SpectraResult(
            network=specimen.title,
            **{**dataclasses.asdict(self), "images": len(images)},
            layer=_path_of(specimen.target),
            kernels=self.kernels(specimen, networks["initial"]),
            power_spectrum=layer_spectra(as_they_are, images, steps.begin),
            stability=self.stability(records, images, labels, steps.begin),
            local_deformations=self.local_deformations(
                specimen.target.classifier, paths, as_they_are, images, steps.begin
            ),
        )
        numbers = plain(dataclasses.asdict(result))
        return Findings(numbers, spectra_figure(result), "\n".join(_lines(result)))

    def networks(self, specimen: Specimen) -> dict[str, list[FrozenTarget]]:
        """The trained network, and as many as asked for untrained and with channels permuted.

        The untrained ones also with their batch normalisations fitted, as those of the permuted
        ones are.
        """
        target, seeds = specimen.target, range(self.seed, self.seed + self.draws)
        fitted_to = specimen.dataset.x_train[:500]
        path = _path_of(target)

        def split(make: Callable[[int], keras.Model]) -> list[FrozenTarget]:
            return [FrozenTarget(make(seed), path) for seed in seeds]

        classifier = target.classifier

        def normalised(seed: int) -> keras.Model:
            network = at_initialisation(classifier, seed)
            fit_normalisations(network, fitted_to)
            return network

        return {
            "initial": split(lambda seed: at_initialisation(classifier, seed)),
            "normalised": split(normalised),
            "trained": [target],
            "permuted": split(lambda seed: permuted_channels(classifier, seed, fitted_to)),
        }

    def kernels(
        self, specimen: Specimen, untrained: list[FrozenTarget]
    ) -> dict[str, KernelSpectrum]:
        """c_λ and roughness of every convolution whose kernels are larger than 1 × 1."""
        found = {}
        fresh = [convolution_layers(one.classifier) for one in untrained]
        for name, layer in convolution_layers(specimen.target.classifier).items():
            basis = LaplacianBasis(*layer.kernel.shape[:2])
            if basis.rows * basis.columns == 1:
                continue
            sets = {
                "initial": [one[name].kernel.numpy() for one in fresh],
                "trained": [layer.kernel.numpy()],
            }
            if specimen.run is not None and layer is specimen.target.layer:
                sets["generated"] = list(specimen.kernel_sets(self.draws, self.seed).numpy())
            found[name] = KernelSpectrum(
                eigenvalues=basis.eigenvalues,
                multiplicity=basis.multiplicity,
                components={title: _mean(basis.components, s) for title, s in sets.items()},
                roughness={title: float(_mean(basis.roughness, s)) for title, s in sets.items()},
            )
        return found

    def stability(
        self,
        records: dict[str, list[Record]],
        images: np.ndarray,
        labels: np.ndarray,
        begin: Begin = quietly,
    ) -> dict[str, NetworkStability]:
        """What deformation and noise do to every layer, and the accuracy, of each kind of network.

        R_f alone would not tell a network that ignores deformations from one that minds noise: it
        is the permuted one's way of having a low R_f.
        """
        [temperature] = temperatures(min(images.shape[1:3]), CUT, levels=1)
        deform = Diffeomorphisms(CUT, float(temperature), self.seed)
        found = {}
        for name, several in records.items():
            begin(f"stability, {name}")
            draws = [relative_stability(one, images, [deform], self.seed) for one in several]
            kinds = {
                "relative": [one.relative() for one in draws],
                "deformed": [one.in_units_of_images(one.deformed) for one in draws],
                "noisy": [one.in_units_of_images(one.noisy) for one in draws],
            }
            means = {
                kind: {layer: float(np.mean([one[layer] for one in ratios])) for layer in ratios[0]}
                for kind, ratios in kinds.items()
            }
            accuracy = float(np.mean([_accuracy(one, images, labels) for one in several]))
            found[name] = NetworkStability(**means, accuracy=accuracy)
        return found

    def local_deformations(
        self,
        classifier: keras.Model,
        paths: list[str],
        records: dict[str, list[Record]],
        images: np.ndarray,
        begin: Begin = quietly,
    ) -> dict[str, UnitStability]:
        """Of the unit in the middle of each of these layers: what it sees and how it responds."""
        shapes = {path: one.shape for path, one in records["trained"][0](images[:1]).items()}
        found = {}
        for path in paths:
            begin(f"local deformations, {path}")
            middle = int(shapes[path][1]) // 2, int(shapes[path][2]) // 2
            pixels = visible(classifier, path, middle)
            if min(pixels.any(axis=axis).sum() for axis in (0, 1)) < 2:
                continue  # a 1 × 1 convolution of the image
            field = receptive_field(classifier, path)
            ratios = {
                name: [
                    local_stability(_unit(one, path, middle), images, pixels, self.seed)
                    for one in several
                ]
                for name, several in records.items()
            }
            found[path] = UnitStability(
                unit=list(middle),
                size=None if field is None else list(field.size),
                stride=None if field is None else list(field.stride),
                start=None if field is None else list(field.start),
                pixels=int(pixels.sum()),
                ratios={
                    name: {f: float(np.mean([one[f] for one in draws])) for f in draws[0]}
                    for name, draws in ratios.items()
                },
            )
        return found


def _chosen_paths(classifier: keras.Model) -> list[str]:
    """Convolutions whose units are looked at: all, or some evenly from first to last."""
    paths = [path for path, one in layers_by_path(classifier) if type(one) in CONVOLUTIONS]
    chosen = np.unique(np.linspace(0, len(paths) - 1, MOST_LAYERS).round().astype(int))
    return [paths[i] for i in chosen]


def _path_of(target: FrozenTarget) -> str:
    """Path of the target's layer in its classifier, which also names it in a copy."""
    return next(path for path, one in layers_by_path(target.classifier) if one is target.layer)


def _mean(measure: Callable[[np.ndarray], Any], kernels: list[np.ndarray]) -> np.ndarray:
    return np.mean([measure(one) for one in kernels], axis=0)


def _unit(record: Record, path: str, place: tuple[int, int]) -> Callable[[tf.Tensor], tf.Tensor]:
    """All channels of a layer at one place, `(m, channels)`; nothing behind it is computed."""
    at = tf.function(lambda images: [record(images)[path][:, place[0], place[1]]])
    return lambda images: map_in_batches(at, images, batch_size=BATCH)[0]


def _accuracy(record: Record, images: np.ndarray, labels: np.ndarray) -> float:
    answer = tf.function(lambda part: [list(record(part).values())[-1]])
    [answers] = map_in_batches(answer, images, batch_size=BATCH)
    return float(np.mean(np.argmax(answers, axis=-1) == labels))


def _lines(result: SpectraResult) -> Iterator[str]:
    """Roughness, mean frequency and how units respond, a line a layer."""
    yield "roughness ⟨λ⟩ of kernels"
    for name, layer in result.kernels.items():
        yield _line(name, layer.roughness)
    yield "mean frequency of activations, cycles a place"
    for name in result.kernels:
        if name in result.power_spectrum:
            yield _line(name, result.power_spectrum[name].mean_frequency)
    yield f"the answer, displaced as in the middle of the range of cut {CUT}, in units of images"
    for name, one in result.stability.items():
        yield _line(name, one.at_the_answer)
    yield "units of the trained network: response to linear deformations, relative to noise"
    for name, layer in result.local_deformations.items():
        yield _line(name, layer.ratios["trained"])


def _line(name: str, values: dict[str, float]) -> str:
    shown = (f"{k} {format(v, '.3f') if np.isfinite(v) else '–'}" for k, v in values.items())
    return f"  {name:12} " + "   ".join(shown)
