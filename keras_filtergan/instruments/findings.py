"""What an instrument found, and its files."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan.errors import InputError
from keras_filtergan.files import all_in_one_step, as_json, plain
from keras_filtergan.instruments.film import save_film


@dataclasses.dataclass(frozen=True)
class Findings:
    """Numbers, a figure, and what else an instrument shows.

    Attributes:
        numbers: dicts, lists and arrays of numbers and texts; in JSON what is not finite is null.
        figure: the picture.
        table: the numbers that matter, for the screen.
        films: file name without ending → frames `(n, h, w, c)` in [0, 1], grey or in colour.
    """

    numbers: dict[str, Any]
    figure: Figure
    table: str
    films: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(
        cls,
        result: Any,
        figure: Figure,
        table: str,
        films: Mapping[str, np.ndarray] | None = None,
    ) -> "Findings":
        """Findings of a study whose result is a dataclass; fields that are `None` are left out."""
        numbers = {k: v for k, v in dataclasses.asdict(result).items() if v is not None}
        return cls(numbers, figure, table, films or {})

    def write(self, folder: Path, name: str, say: Callable[[str], None] = print) -> list[Path]:
        """Write `NAME.json`, `NAME.png` and a GIF a film: all of them, or none.

        Args:
            folder: made if needed.
            name: of the instrument.
            say: takes one line for each file.

        Returns:
            The files written.

        Raises:
            InputError: the folder cannot be written.
        """
        films = {folder / f"{film}.gif": frames for film, frames in self.films.items()}
        paths = [folder / f"{name}.json", folder / f"{name}.png", *films]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with all_in_one_step([*paths[1:], paths[0]]) as [figure, *of_films, numbers]:
                self.figure.savefig(figure, dpi=130)
                for aside, frames in zip(of_films, films.values(), strict=True):
                    save_film(frames, aside)
                numbers.write_text(as_json(plain(self.numbers)))
        except OSError as error:
            raise InputError(f"cannot write to {str(folder)!r} ({error.strerror})") from None
        for path in paths:
            say(str(path))
        return paths
