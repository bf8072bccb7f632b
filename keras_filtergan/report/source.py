"""What a run directory holds for a report: read as far as it is there, and what is missing."""

import dataclasses
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.data import to_unit_interval
from keras_filtergan.data.pixels import to_bytes
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.grids import SPAN
from keras_filtergan.images.choices import get_parametrization, get_prior
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.report.explorer import saved_walks
from keras_filtergan.report.planes import image_numbers, planes_of
from keras_filtergan.runs.callbacks import Tell
from keras_filtergan.runs.classifier_cache import independent_classifier, independent_path
from keras_filtergan.runs.gallery import INVERTING
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.trained import TrainedRun
from keras_filtergan.runs.view import View

STEPS = 60  # of an inversion: they explain nearly as much as 200
PARTS = {
    "config.json": "settings, data and versions",
    "evaluation.json": "the card: every figure",
    "history.jsonl": "the curves of training",
    "classifier.keras": "the frozen network",
    "generator.keras": "the generator",
    "transformation.keras": "the learned transformation",
}


@dataclasses.dataclass(frozen=True)
class Source:
    """What there is of a run.

    Attributes:
        run: its directory.
        config, card: as far as they can be read, else empty.
        history: of the training.
        trained: the run in memory, if it is whole.
        walks: found by inversion, one image each.
        independent: a second network, if one has been trained on the same images.
        missing: sentences on what is not there, or cannot be read.
    """

    run: RunDirectory
    config: dict[str, Any]
    card: dict[str, Any]
    history: list[dict[str, float]]
    trained: TrainedRun | None
    walks: list[Walk]
    independent: keras.Model | None
    missing: list[str]

    @classmethod
    def of(
        cls,
        run: RunDirectory,
        trained: TrainedRun | None = None,
        data_dir: str | None = None,
        walks: Path | None = None,
    ) -> "Source":
        """Read a run.

        Args:
            run: its directory.
            trained: the same in memory, if it is; else it is loaded if it can be.
            data_dir: where TFDS keeps its prepared sets.
            walks: folder of the walks of a gallery; `figures` of the run if not given.

        Raises:
            InputError: there is nothing of a run at all.
        """
        if not any((run.path / name).exists() for name in PARTS):
            raise InputError(f"expected a run in {str(run.path)!r}, there is none; train one")
        missing = [
            f"{name} ({what}) is missing."
            for name, what in PARTS.items()
            if not (run.path / name).exists()
        ]
        config = _read(run.config, missing)
        card = _read(run.path / "evaluation.json", missing)
        if trained is None:
            trained = _loaded(run, data_dir, missing)
        found, notes = saved_walks(run.figures if walks is None else walks)
        other = None if trained is None else _independent(trained, run)
        missing += notes
        return cls(run, config, card, run.read_history(), trained, found, other, missing)

    def thorough(self, say: Callable[[str], None], tell: Tell | None = None) -> "Source":
        """The same with an independent network, and each image of the explorer inverted.

        The walks go over the first plane of the explorer, and are kept in `figures` of the run.

        Args:
            say: takes a line on what begins.
            tell: takes in its place how far the inversion is.
        """
        if self.trained is None:
            return self
        provide = independent_classifier(self.trained, self.run.path.parent, tell)
        other = self.independent
        if other is None and provide is not None:
            say("training an independent network")
            other = provide()
        walks = [*self.walks, *self._sought(say, tell)]
        return dataclasses.replace(self, independent=other, walks=walks)

    def _sought(self, say: Callable[[str], None], tell: Tell | None) -> list[Walk]:
        trained, view = self.trained, View()
        if trained is None or trained.settings.latent_dim < 2:
            return []
        numbers = image_numbers(trained.dataset.y_test)
        images = to_unit_interval(trained.dataset.x_test[numbers])
        plane = planes_of(trained)[0][0]
        assert plane.down is not None  # of two dimensions at least
        held = [walk.start[0] for walk in self.walks if plane.view_of(walk)]
        inverter = Inverter(
            trained.target,
            trained.generator,
            prior=get_prior(view.prior),
            parametrization=get_parametrization(view.parametrization),
            steps=STEPS,
            jitter=view.jitter,
        )
        middle, dims = (
            np.zeros(trained.settings.latent_dim),
            (plane.down.vector, plane.right.vector),
        )
        walks, count = [], len(numbers)
        self.run.figures.mkdir(exist_ok=True)
        for i, (number, image) in enumerate(zip(numbers, images, strict=True)):
            if any(np.array_equal(to_bytes(start), to_bytes(image)) for start in held):
                continue
            if tell is None:
                say(f"inverting test image {number}, {i + 1} of {count}")
            else:
                tell(INVERTING, i, count, f"test image {number}")
            walks.append(inverter.walk(image[None], middle, dims, view.grid, SPAN))
            walks[-1].save(self.run.figures / f"explorer_{number}.npz")
        if tell is not None and walks:
            tell(INVERTING, count, count, "")
        return walks

    def instrument(self, name: str) -> Any:
        """What an instrument found, `None` if it was not asked or cannot be read."""
        path = self.run.path / "instruments" / f"{name}.json"
        return _read(path, []) or None

    @property
    def pictures(self) -> dict[str, Path]:
        """Figures of instruments, by the name of the instrument."""
        folder = self.run.path / "instruments"
        return {path.stem: path for path in sorted(folder.glob("*.png"))}

    @property
    def finished(self) -> str:
        """When the card was written, or nothing."""
        path = self.run.path / "evaluation.json"
        if not path.exists():
            return ""
        return datetime.datetime.fromtimestamp(path.stat().st_mtime).strftime("%Y-%m-%d %H:%M")


def lasted(run: RunDirectory) -> str:
    """How long it took from the classifier to the card, by the times of the files, or nothing."""
    try:
        begun, ended = (
            (run.path / name).stat().st_mtime for name in ("classifier.keras", "evaluation.json")
        )
    except OSError:
        return ""
    minutes, seconds = divmod(round(ended - begun), 60)
    return f"{minutes} min {seconds} s" if ended - begun >= 1 else ""  # a copy has other times


def _read(path: Path, missing: list[str]) -> dict[str, Any]:
    """A JSON object, or nothing and a sentence why not."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        missing.append(f"{path.name} cannot be read ({error}).")
        return {}
    return content if isinstance(content, dict) else {}


def _loaded(run: RunDirectory, data_dir: str | None, missing: list[str]) -> TrainedRun | None:
    try:
        return TrainedRun.load(run, data_dir)
    except (InputError, KeyError, TypeError) as error:
        missing.append(f"There is no explorer and no map of filters: {error}.")
        return None


def _independent(trained: TrainedRun, run: RunDirectory) -> keras.Model | None:
    path = independent_path(trained, run.path.parent)
    return load_classifier(path) if path is not None and path.exists() else None
