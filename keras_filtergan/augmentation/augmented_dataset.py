"""An augmented data set on disk: made piece by piece, gone on with after a stop, there or not."""

import dataclasses
import hashlib
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_filtergan import __version__
from keras_filtergan.augmentation.augmentation import Augmentation, Piece
from keras_filtergan.augmentation.augmented_examples import (
    describe,
    example_features,
    test_examples,
    train_examples,
)
from keras_filtergan.augmentation.recipe import Recipe
from keras_filtergan.data.tfds_writer import VERSION, write_tfds_directory
from keras_filtergan.errors import InputError
from keras_filtergan.files import aside_of, check_writable, in_one_step, write_json
from keras_filtergan.guards.records import read_record
from keras_filtergan.inversion.walks import explained_fraction
from keras_filtergan.runs.checkpoints import environment
from keras_filtergan.runs.run_directory import RunDirectory

RECORD = "augmentation.json"
MADE_OF = {"made_of": dict}
COUNTS = {
    **dict.fromkeys(("wrong_originals", "made", "kept", "train", "test"), int),
    "explained_fraction": (float, None),
}


@dataclasses.dataclass
class Tally:
    """What became of the images.

    Attributes:
        wrong: originals left out because the classifier gets them wrong.
        made: images made.
        kept: those of them that kept their label.
        error_before, error_after: of the kept ones, summed; see `Piece`.
    """

    wrong: int
    made: int = 0
    kept: int = 0
    error_before: float = 0.0
    error_after: float = 0.0

    def add(self, piece: Piece) -> None:
        """Count a piece."""
        self.made += piece.tried
        self.kept += len(piece.images)
        self.error_before += float(piece.error_before.sum(dtype=np.float64))
        self.error_after += float(piece.error_after.sum(dtype=np.float64))

    def to_dict(self) -> dict[str, Any]:
        """The counts, and the share of the change of kernels that the kept images undo."""
        explained = explained_fraction(self.error_before, self.error_after)
        return {
            "wrong_originals": self.wrong,
            "made": self.made,
            "kept": self.kept,
            "explained_fraction": None if np.isnan(explained) else explained,
        }


class AugmentedDataset:
    """A place for an augmented data set, which is either not there or whole.

    Finished pieces wait in `<out>.partial/`, beside a record of what they are made of. When all
    are there, the TFDS folder is written in there too, and renamed to `out` as the last step. A
    stop at any time leaves the pieces, and who goes on with them ends at the same bits.

    Args:
        out: the folder to make; the set itself is in `<out>/1.0.0`.
        made_of: from `ingredients`; what is found under `out` must have been made of the same.

    Example:
        >>> place = AugmentedDataset(Path("more_digits"), ingredients(run, recipe, originals=False))
        >>> counts = place.fill(Augmentation(trained, recipe), originals=False)
        >>> len(load_dataset("more_digits").x_train) == counts["kept"]
        True
    """

    def __init__(self, out: Path, made_of: dict[str, Any]):
        self.out = Path(os.path.abspath(out))
        self.partial = self.out.with_name(f"{self.out.name}.partial")
        self.made_of = made_of

    @property
    def is_complete(self) -> bool:
        """Whether the data set is there."""
        return (self.out / RECORD).exists()

    def check(self) -> None:
        """Refuse a place that holds something else.

        Raises:
            InputError: `out` or its pieces are something else, or made of something else, or
                nothing can be written there. Nothing is changed then.
        """
        try:
            if self.out.exists() and not self.out.is_dir():
                raise InputError(f"{str(self.out)!r} is a file; choose another folder")
            if _names(self.out):
                self._check_record(self.out, "augmented data set")
            # hidden is what a killed process had not finished
            if any(not name.startswith(".") for name in _names(self.partial)):
                self._check_record(self.partial, "unfinished augmented data set")
        except OSError as error:
            raise InputError(
                f"cannot read {str(self.out)!r} ({error.strerror}); choose another folder"
            ) from None
        check_writable(self.partial)

    def read_record(self) -> dict[str, Any]:
        """What the finished data set is made of, under `made_of`, and the `counts`."""
        return self._read_record(self.out)

    def fill(
        self,
        augmentation: Augmentation,
        originals: bool,
        progress: Callable[[Piece, bool], None] = lambda piece, is_new: None,
    ) -> dict[str, Any]:
        """Make the pieces that are missing, then the data set.

        Two processes may do so at once; they make the same, and what the first finishes counts for
        both.

        Args:
            augmentation: what gives the pieces.
            originals: put the training images first, all of them, also those not augmented.
            progress: told of every piece, and whether it was made or had been there.

        Returns:
            The counts.

        Raises:
            InputError: no image kept its label.
        """
        try:
            self._fill(augmentation, originals, progress)
        except OSError:
            if not self.is_complete:
                raise
            self.check()  # somebody else has finished it
            self.discard_pieces()
        return self.read_record()["counts"]

    def _fill(
        self,
        augmentation: Augmentation,
        originals: bool,
        progress: Callable[[Piece, bool], None],
    ) -> None:
        self.partial.mkdir(parents=True, exist_ok=True)
        write_json(self.partial / RECORD, {"made_of": self.made_of})
        tally = Tally(augmentation.wrong)
        for number in range(len(augmentation)):
            kept = self._read_piece(number)
            piece = augmentation.piece(number) if kept is None else kept
            if kept is None:
                self._keep_piece(number, piece)
            tally.add(piece)
            progress(piece, kept is None)
        if not tally.kept:
            raise InputError(
                f"expected images that keep their label, none of {tally.made} did; "
                "try a smaller `span` in another folder"
            )
        self._publish(augmentation, originals, tally)

    def discard_pieces(self) -> None:
        """Forget the pieces, which a finished data set does not need."""
        shutil.rmtree(self.partial, ignore_errors=True)

    def _check_record(self, folder: Path, what: str) -> None:
        if not (folder / RECORD).exists():
            raise InputError(
                f"{str(folder)!r} is not empty and holds no {what}; choose another folder"
            )
        held = self._read_record(folder)["made_of"]
        other = sorted(k for k in {**held, **self.made_of} if held.get(k) != self.made_of.get(k))
        if other:
            changes = ", ".join(f"{k} {held.get(k)!r} → {self.made_of.get(k)!r}" for k in other)
            raise InputError(
                f"{str(folder)!r} holds an {what} of other settings ({changes}); choose "
                "another folder, or delete it"
            )

    def _read_record(self, folder: Path) -> dict[str, Any]:
        kind = MADE_OF if folder == self.partial else {**MADE_OF, "counts": COUNTS}
        return read_record(folder / RECORD, kind, f"delete {str(folder)!r} to begin again")

    def _piece_path(self, number: int) -> Path:
        return self.partial / f"piece-{number:06d}.npz"

    def _read_piece(self, number: int) -> Piece | None:
        """A piece that was kept, or `None` if it is not there or damaged."""
        try:
            with np.load(self._piece_path(number)) as columns:
                fields = {name: columns[name] for name in columns}
            return Piece(**{**fields, "tried": int(fields["tried"])})
        except (
            OSError,
            ValueError,
            EOFError,
            KeyError,
            TypeError,
            RuntimeError,
            zipfile.BadZipFile,
        ):
            return None

    def _keep_piece(self, number: int, piece: Piece) -> None:
        with in_one_step(self._piece_path(number)) as aside:
            np.savez(aside, **vars(piece))

    def _pieces(self, augmentation: Augmentation) -> Iterator[Piece]:
        for number in range(len(augmentation)):
            yield self._read_piece(number) or augmentation.piece(number)

    def _publish(self, augmentation: Augmentation, originals: bool, tally: Tally) -> None:
        dataset = augmentation.trained.dataset
        latent_dim = augmentation.trained.settings.latent_dim
        made = aside_of(self.partial / "dataset")
        shutil.rmtree(made, ignore_errors=True)
        (made / VERSION).mkdir(parents=True)
        splits = {
            "train": train_examples(dataset, latent_dim, originals, self._pieces(augmentation)),
            "test": test_examples(dataset, latent_dim),
        }
        written = write_tfds_directory(
            made / VERSION,
            self.out.name,
            example_features(dataset, latent_dim),
            splits,
            description=describe(dataset, originals),
        )
        counts = {**tally.to_dict(), **written}
        write_json(made / RECORD, {"made_of": self.made_of, "counts": counts})
        if self.out.is_dir():
            self.out.rmdir()  # `check` found it empty
        os.replace(made, self.out)
        self.discard_pieces()


def ingredients(run: RunDirectory, recipe: Recipe, originals: bool) -> dict[str, Any]:
    """All that decides the bits of an augmented data set, as a flat dict for JSON.

    Raises:
        InputError: the run lacks a file.
    """
    digest = hashlib.sha256()
    for path in (run.classifier, run.generator, run.transformation):
        try:
            digest.update(path.read_bytes())
        except OSError as error:
            raise InputError(
                f"expected a run with {path.name}, cannot read it in {str(run.path)!r} "
                f"({error.strerror}); train the run again"
            ) from None
    return {
        "run": digest.hexdigest()[:16],
        "dataset": run.read_config()["made_of"]["dataset"],
        **recipe.to_dict(),
        "originals": originals,
        "keras_filtergan": __version__,
        **environment(),
    }


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing, if it is not there."""
    return os.listdir(folder) if folder.exists() else []
