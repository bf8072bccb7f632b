"""A finished run, loaded: network, players, data and settings that belong together."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset, load_dataset, to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import Subject
from keras_filtergan.evaluation.first_look import FirstLook, first_look
from keras_filtergan.files import save_model
from keras_filtergan.gan.bending import ImageBending
from keras_filtergan.gan.change_reader import ChangeReader
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.transformation import ImageTransformation
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.saved_generator import load_generator
from keras_filtergan.guards.fingerprints import fingerprint
from keras_filtergan.inversion.kinds import named_basis
from keras_filtergan.inversion.transformed import transformed_walk
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.runs.run_directory import RunDirectory, open_run
from keras_filtergan.runs.settings import Settings

KIND_IMAGES = 100  # on which it is seen what the latent dimensions are


@dataclasses.dataclass(frozen=True, repr=False)
class TrainedRun:
    """What a run directory holds, in memory.

    Attributes:
        settings, dataset: as in training.
        target: the frozen network.
        generator: the averaged one.
        discriminator: with its code head, if that is not `reader`.
        transformation: the image transformation that goes with the generator.
        code_noise: σ of the noise on Q's input.
        reader: the code head that reads changes; `None` after training by `infogan`.
        directory: where it is kept, once it is.

    Example:
        >>> trained = TrainedRun.load("runs/mnist_sample-layer4-seed0")
        >>> trained
        TrainedRun(conv4 of mnist_sample, d = 4, natural, runs/mnist_sample-layer4-seed0)
        >>> trained.generator(keras.random.normal([10, 4])).shape
        TensorShape([10, 3, 3, 32, 32])
    """

    settings: Settings
    dataset: ImageDataset
    target: FrozenTarget
    generator: FilterGenerator
    discriminator: Discriminator
    transformation: ImageTransformation | ImageBending
    code_noise: float
    reader: ChangeReader | None = None
    directory: RunDirectory | None = None

    def __repr__(self) -> str:
        where = "not kept" if self.directory is None else self.directory.path
        what = f"{self.target.layer_name} of {self.dataset.name}, d = {self.settings.latent_dim}"
        return f"TrainedRun({what}, {self.settings.method}, {where})"

    @classmethod
    def of(cls, gan: FilterGAN, settings: Settings, dataset: ImageDataset) -> "TrainedRun":
        """What training has made.

        Args:
            gan: trained.
            settings, dataset: what it was trained with.
        """
        return cls(
            settings,
            dataset,
            gan.target,
            gan.generator,
            gan.discriminator,
            gan.transformation,
            float(gan.code_noise.value.numpy()),  # also of several devices
            getattr(gan, "reader", None),
        )

    @classmethod
    def load(
        cls, run: RunDirectory | str | os.PathLike, data_dir: str | None = None
    ) -> "TrainedRun":
        """Load a complete run.

        Args:
            run: its directory.
            data_dir: where TFDS keeps its prepared sets.

        Raises:
            InputError: a file is missing or damaged, or generator, classifier and data do not
                belong together.
        """
        run = open_run(RunDirectory.of(run).path)
        config = run.read_config()
        settings = Settings.from_dict(config["settings"])
        dataset = load_dataset(
            settings.dataset, data_dir or config.get("data_dir"), settings.image_size
        )
        if dataset.fingerprint != config["made_of"]["dataset"]:
            raise InputError(
                f"{settings.dataset!r} no longer holds the images this run was trained on"
            )
        target = FrozenTarget(load_classifier(run.classifier), settings.layer)
        if target.fingerprint() != config.get("target_fingerprint"):
            raise InputError(
                f"{str(run.classifier)!r} is not the classifier this run was trained on"
            )
        if "players" not in config:
            raise InputError(
                f"{str(run.path)!r} is a run of another version; train it again in another folder"
            )
        players = {
            run.generator: load_generator(run.generator),
            run.discriminator: _load(run.discriminator, Discriminator),
            run.transformation: _load(run.transformation, ImageTransformation, ImageBending),
        }
        if settings.method == "natural":
            players[run.reader] = _load(run.reader, ChangeReader)
        for path, player in players.items():
            if fingerprint(player) != config["players"][path.stem]:
                raise InputError(f"{str(path)!r} is not the {path.stem} that this run trained")
        generator, discriminator, transformation, *reader = players.values()
        return cls(
            settings,
            dataset,
            target,
            generator,
            discriminator,
            transformation,
            config["code_noise"],
            reader[0] if reader else None,
            run,
        )

    def save(self, run: RunDirectory) -> "TrainedRun":
        """Save what was trained, and write down that it belongs together.

        Args:
            run: a directory that already holds the classifier and `config.json`.

        Returns:
            The same, with that directory.
        """
        players = {
            run.generator: self.generator,
            run.discriminator: self.discriminator,
            run.transformation: self.transformation,
            **({run.reader: self.reader} if self.reader else {}),
        }
        for path, player in players.items():
            save_model(player, path)
        names = {path.stem: fingerprint(player) for path, player in players.items()}
        config = run.read_config()
        run.write_config({**config, "code_noise": self.code_noise, "players": names})
        return dataclasses.replace(self, directory=run)

    def rotate_to_kinds(self) -> None:
        """Rotate the latent so that its dimensions are known kinds of change, as far as may be.

        G, T and Q then read and write latents in the basis of `named_basis`; what G can make is the
        same. This is in place, and the last step of training: not for a run that is kept already,
        and a GAN with these players is not to be trained on. The T of the infogan method, which is
        not linear in the latent, is left as it is.
        """
        bending, d = self.transformation, self.settings.latent_dim
        if not isinstance(bending, ImageBending):
            return
        x, random = self.dataset.x_train, np.random.default_rng(self.settings.seed)
        some = random.choice(len(x), min(KIND_IMAGES, len(x)), replace=False)
        # Read in their order, looked at in any: of large images a few say what a dimension is.
        images = to_unit_interval(x[np.sort(some)])[random.permutation(len(some))]
        basis, kinds = named_basis(bending, images, d)
        for player in (self.generator, bending, self.reader):
            if player is not None:
                player.rotate(basis)
        bending.kinds = kinds

    @property
    def kinds(self) -> tuple[str | None, ...]:
        """Of which kind of change each latent dimension is, `None` if of no known one."""
        return getattr(self.transformation, "kinds", (None,) * self.settings.latent_dim)

    @property
    def dimensions(self) -> list[str]:
        """What each latent dimension is called: `z[0]: shift right`, or `z[3]` without a name.

        Example:
            >>> [name.split(": ")[0] for name in trained.dimensions]
            ['z[0]', 'z[1]', 'z[2]', 'z[3]']
        """
        return [f"z[{i}]: {kind}" if kind else f"z[{i}]" for i, kind in enumerate(self.kinds)]

    def subject(self, independent_classifier: Callable[[], keras.Model] | None = None) -> Subject:
        """What the card judges.

        Args:
            independent_classifier: gives a second network for the metric that asks one.
        """
        return Subject(
            target=self.target,
            kernels=self.generator,
            dataset=self.dataset,
            discriminator=self.discriminator,
            reader=self.reader,
            transformation=self.transformation,
            code_noise=self.code_noise,
            seed=self.settings.seed,
            independent_classifier=independent_classifier,
        )

    def first_look(self) -> FirstLook:
        """How often its network is right; that of the standard classifier is known to fit."""
        brought = self.settings.classifier is not None
        return first_look(self.target.classifier, self.dataset, try_scalings=brought)

    def transformed_walk(self, images: np.ndarray, latents: np.ndarray) -> Walk:
        """The walk that the image transformation makes, in the place of an inversion.

        Args:
            images: x, `(n, h, w, c)` in [0, 1].
            latents: `(grid, grid, d)`, the middle one included.

        Returns:
            The images T(x; middle → z) of all cells.
        """
        return transformed_walk(self.target, self.generator, self.transformation, images, latents)


def _load(path: Path, *kinds: type[keras.Model]) -> keras.Model:
    model = load_classifier(path)
    if not isinstance(model, kinds):
        names = " or ".join(kind.__name__ for kind in kinds)
        raise InputError(f"expected a {names} in {str(path)!r}, it is a {type(model).__name__}")
    return model
