"""The run directory: what a training run leaves behind, and where."""

import contextlib
import dataclasses
import difflib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from keras_filtergan.doors import command
from keras_filtergan.errors import InputError
from keras_filtergan.files import (
    check_writable,
    file_name,
    owner_of_leftover,
    remove_leftovers,
    write_json,
    write_text,
)
from keras_filtergan.guards.locks import locked
from keras_filtergan.guards.record_lines import append_line, read_lines
from keras_filtergan.guards.records import Each, read_record

CONFIG = {
    "settings": {"layer": (int, str), "seed": int, "dataset?": str, "method?": str},
    "made_of": {"dataset": str, "classifier?": (str, None)},
    "data_dir?": (str, None),
    "target_fingerprint?": str,
    "players?": Each(str),
    "code_noise?": float,
}
_METRIC = (float, None, Each((float, None)))
_CARD = {"taken_over?": Each(Each(int)), "notes?": [str]}
CARD = Each(_METRIC, {**_CARD, "baselines?": Each(Each(_METRIC, _CARD))})
LOGGED = Each(float, {"step": int})
AGAIN = "train the run again"
LOCK = ".lock"


@dataclasses.dataclass(frozen=True)
class RunDirectory:
    """Paths of one run, and the only code that knows how its JSON files look.

    Files are written aside and renamed, so that a reader never sees half of one.

    Attributes:
        path: of the directory, which need not exist.

    Example:
        >>> run = RunDirectory("runs/mnist_sample-layer4-seed0")
        >>> run.read_config()["settings"]["layer"]
        4
    """

    path: Path

    def __post_init__(self):
        if not isinstance(self.path, str | os.PathLike):
            raise InputError(f"expected the path of a run directory, received {self.path!r}")
        object.__setattr__(self, "path", Path(self.path))

    @classmethod
    def of(cls, run: "RunDirectory | str | os.PathLike") -> "RunDirectory":
        """A run directory as it is, or the one at a path."""
        return run if isinstance(run, RunDirectory) else cls(cast(Path, run))  # or a string

    @property
    def config(self) -> Path:
        """Settings, versions and fingerprints."""
        return self.path / "config.json"

    @property
    def classifier(self) -> Path:
        """The frozen network."""
        return self.path / "classifier.keras"

    @property
    def generator(self) -> Path:
        """The averaged generator, the one that inference uses."""
        return self.path / "generator.keras"

    @property
    def reader(self) -> Path:
        """The code head of a run by the `natural` method."""
        return self.path / "reader.keras"

    @property
    def discriminator(self) -> Path:
        """D with its code head Q."""
        return self.path / "discriminator.keras"

    @property
    def transformation(self) -> Path:
        """The image transformation that goes with each latent."""
        return self.path / "transformation.keras"

    @property
    def checkpoints(self) -> Path:
        """Folder of the states that `--resume` continues from."""
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        """Folder of the pictures."""
        return self.path / "figures"

    @property
    def report(self) -> Path:
        """The page that shows what was found."""
        return self.path / "report.html"

    @property
    def evaluation(self) -> Path:
        """The card."""
        return self.path / "evaluation.json"

    @property
    def is_complete(self) -> bool:
        """Whether training has ended: the card is there, and every network that belongs to it."""
        return not self.missing

    @property
    def missing(self) -> list[str]:
        """Names of the files that a finished run has and this one lacks."""
        files = [self.evaluation, self.generator, self.classifier]
        with contextlib.suppress(InputError):  # who reads the run will say so
            players = self.read_config().get("players", {})
            files += [self.path / f"{file_name(name)}.keras" for name in players]
        return [file.name for file in dict.fromkeys(files) if not file.exists()]

    @contextlib.contextmanager
    def locked(self, say: Callable[[str], None] = print) -> Iterator[None]:
        """The right to write into the directory, which is made if needed; readers need none.

        What dead processes had not finished is removed.

        Args:
            say: takes a line if another process died while it wrote here.

        Raises:
            InputError: another process writes here; says which.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        what = f"the run in {str(self.path)!r}"
        advice = "wait for it, or choose another --out"
        with locked(self.path / LOCK, what, advice, say=say):
            remove_leftovers(self.path)
            yield

    def create(self, config: dict[str, Any]) -> None:
        """Make the directory and write `config.json`.

        Raises:
            InputError: the directory holds a run with other settings, holds something else, or
                cannot be written. Nothing is changed then.
        """
        self.check(config)
        self.path.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            self.write_config(config)

    def check(self, config: dict[str, Any]) -> None:
        """Refuse a directory that belongs to something else.

        Raises:
            InputError: see `create`.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{str(self.path)!r} is a file; choose another folder")
        check_writable(self.path)
        if not self.path.exists() or not any(map(_is_content, self.path.iterdir())):
            return
        if not (self.config).exists():
            raise InputError(
                f"{str(self.path)!r} is not empty and holds no run; choose another folder"
            )
        held, wanted = (
            {**one["settings"], **{f"fingerprint of {k}": v for k, v in one["made_of"].items()}}
            for one in (self.read_config(), config)
        )
        other = [key for key in {**held, **wanted} if held.get(key) != wanted.get(key)]
        if other:
            changes = ", ".join(f"{k} {held.get(k)!r} → {wanted.get(k)!r}" for k in sorted(other))
            raise InputError(
                f"{str(self.path)!r} holds a run with other settings ({changes}); "
                "choose another folder"
            )

    def read_config(self) -> dict[str, Any]:
        """Settings, versions and fingerprints of the run.

        Raises:
            InputError: there is none, or it is damaged.
        """
        return self._read(self.config, CONFIG)

    def write_config(self, config: dict[str, Any]) -> None:
        """Replace the settings, versions and fingerprints."""
        write_json(self.config, config)

    def read_evaluation(self) -> dict[str, Any]:
        """The card.

        Raises:
            InputError: there is none, or it is damaged.
        """
        return self._read(self.evaluation, CARD)

    def write_evaluation(self, card: dict[str, Any]) -> None:
        """Replace the card."""
        write_json(self.evaluation, card)

    def read_history(self) -> list[dict[str, float]]:
        """One dict a logging step, in order of steps.

        Raises:
            InputError: a line is damaged that is not the last, which a killed run leaves half.
        """
        advice = "repair it, or delete the file, which holds the training curves and nothing else"
        return read_lines(self.path / "history.jsonl", LOGGED, advice)

    def append_history(self, record: dict[str, float]) -> None:
        """Add one logging step."""
        append_line(self.path / "history.jsonl", record)

    def truncate_history(self, step: int) -> None:
        """Forget the logging steps after `step`: a resumed run will log them again."""
        kept = [record for record in self.read_history() if record["step"] <= step]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        write_text(self.path / "history.jsonl", text)

    def _read(self, path: Path, kind: Any) -> dict[str, Any]:
        try:
            return read_record(path, kind, AGAIN)
        except FileNotFoundError:
            raise InputError(
                f"expected a run with {path.name}, there is none in {self.path}"
            ) from None


def _is_content(path: Path) -> bool:
    """Whether it is more than what a process leaves that died before it wrote anything."""
    return path.name != LOCK and not owner_of_leftover(path.name)


def finished_runs(root: Path) -> list[RunDirectory]:
    """The complete runs under `root`, by name."""
    runs = [RunDirectory(card.parent) for card in sorted(root.glob("*/evaluation.json"))]
    return [run for run in runs if run.is_complete]


def latest_run(root: Path) -> RunDirectory:
    """The complete run under `root` that was finished last.

    Raises:
        InputError: there is none.
    """
    runs = finished_runs(root)
    if not runs:
        raise InputError(
            f"no finished run under {str(root)!r}; train one with: {command('train')} --layer 4"
        )
    return max(runs, key=lambda run: run.generator.stat().st_mtime)  # cards are written anew


def open_run(path: str | os.PathLike) -> RunDirectory:
    """A complete run by its path.

    Example:
        >>> open_run("runs/mnist_sample-layer4-seed0").read_evaluation()["classifier_accuracy"]
        0.984

    Raises:
        InputError: there is no finished run; the message names the nearest one.
    """
    run = RunDirectory.of(path)
    path = run.path
    if run.is_complete:
        return run
    if (path / "config.json").exists():
        lost = f", it lacks {', '.join(run.missing)}" if run.evaluation.exists() else ""
        raise InputError(
            f"the run in {str(path)!r} is not finished{lost}; continue it with --resume"
        )
    near = [str(card.parent) for card in path.parent.glob("*/evaluation.json")]
    close = difflib.get_close_matches(str(path), near, n=1)
    hint = (
        f"; did you mean {close[0]!r}?" if close else f"; train one: {command('train')} --layer 4"
    )
    raise InputError(f"no run in {str(path)!r}{hint}")
