"""The pictures of a finished run."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan import plots
from keras_filtergan.data import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.grids import random_dims
from keras_filtergan.files import file_name, save_together
from keras_filtergan.images.choices import get_parametrization, get_prior
from keras_filtergan.inversion.directions import principal_directions
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.runs.callbacks import Tell
from keras_filtergan.runs.filter_map import FilterMap
from keras_filtergan.runs.trained import TrainedRun
from keras_filtergan.runs.view import View

FILTER_ROWS = 8
DPI = 130
KINDS = ("invariances", "transformations")  # pictures of each image
INVERTING = "finding pictures by inversion"


def draw_gallery(
    trained: TrainedRun,
    view: View | None = None,
    folder: str | os.PathLike | None = None,
    say: Callable[[str], None] = print,
    tell: Tell | None = None,
) -> list[Path]:
    """Draw filters, MDS, training curves and invariance grids of a run.

    Beside each grid that was found by inversion, the walk is kept as `Walk.save` does.

    Args:
        trained: a run that is kept in a directory.
        view: what to look at; the defaults of `View` if not given.
        folder: where the PNG files go, made if needed; `figures` of the run if not given.
        say: takes one line for each picture.
        tell: takes how far the inversion is: its name, images done, images in all, and a text.

    Returns:
        The files written, pictures first.

    Raises:
        InputError: an image, dimension, grid or span out of range, or a run that is not kept.
            Nothing is written then.

    Example:
        >>> view = View(images=(4, 7), dims="principal", parametrization="deformation")
        >>> trained = TrainedRun.load("runs/mnist_sample-layer4-seed0")
        >>> pictures = draw_gallery(trained, view, "figures")
    """
    run = trained.directory
    if run is None:
        raise InputError("expected a run that is kept in a directory; save it, or load one")
    view = View() if view is None else view
    folder = run.figures if folder is None else Path(folder)
    numbers = _image_numbers(trained, view.images)
    if not isinstance(view.dims, tuple) and trained.settings.latent_dim < 2:
        say("no grids: they need two latent dimensions, this run has one")
        invariances, walks = {}, {}
    else:
        invariances, walks = _draw_invariances(trained, view, numbers, tell)
    title = f"FilterGAN on {trained.target.layer_name}, {trained.dataset.name}"
    drawn = {
        "filters": _draw_filters(trained),
        "mds": _draw_mds(trained),
        "training": plots.training_figure(run.read_history(), title),
        **invariances,
    }
    kept = {folder / f"{name}.npz": walk.write for name, walk in walks.items()}
    figures = {
        folder / f"{name}.png": functools.partial(figure.savefig, dpi=DPI)
        for name, figure in drawn.items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_together({**kept, **figures})  # where all pictures are, all walks are
    except OSError as error:
        raise InputError(f"cannot write to {str(folder)!r} ({error.strerror})") from None
    for path in figures:
        say(str(path))
    return [*figures, *kept]


def draw_missing(
    trained: TrainedRun, say: Callable[[str], None] = print, tell: Tell | None = None
) -> list[Path]:
    """Draw the usual pictures of a run again if one of them is not there.

    Args:
        trained: a run that is kept in a directory.
        say: takes one line for each file.
        tell: as of `draw_gallery`.

    Returns:
        The files written, none if all were there.
    """
    return draw_gallery(trained, say=say, tell=tell) if missing_pictures(trained) else []


def missing_pictures(trained: TrainedRun) -> list[str]:
    """Names of the usual pictures of a run that are not in its directory."""
    names = ["filters", "mds", "training"]
    if trained.settings.latent_dim >= 2:
        names += _grid_names(trained, _image_numbers(trained, None))
    run = trained.directory
    return [n for n in names if run is None or not (run.figures / f"{n}.png").exists()]


def _grid_names(trained: TrainedRun, numbers: Sequence[int]) -> list[str]:
    layer = file_name(trained.target.layer_name.removeprefix("conv"))
    return [f"{kind}_layer{layer}_{number}" for number in numbers for kind in KINDS]


def _image_numbers(trained: TrainedRun, wanted: tuple[int, ...] | None) -> list[int]:
    labels = trained.dataset.y_test
    if wanted is None:
        return [int(np.argmax(labels == label)) for label in np.unique(labels)[:4]]
    for number in wanted:
        if not 0 <= number < len(labels):
            raise InputError(f"expected test images 0 to {len(labels) - 1}, received {number}")
    return list(dict.fromkeys(wanted))


def _draw_invariances(
    trained: TrainedRun, view: View, numbers: list[int], tell: Tell | None
) -> tuple[dict[str, Figure], dict[str, Walk]]:
    """The grids of both kinds, and the walks that were found by inversion, by name of the file."""
    target, latent_dim = trained.target, trained.settings.latent_dim
    originals = to_unit_interval(trained.dataset.x_test[numbers])
    dims, axes = _axes(trained, originals, view.dims)
    inverter = Inverter(
        target,
        trained.generator,
        prior=get_prior(view.prior),
        parametrization=get_parametrization(view.parametrization),
        jitter=view.jitter,
    )
    names = _grid_names(trained, numbers)
    sought = f", shifted by up to {view.jitter} px meanwhile" if view.jitter else ""
    figures, walks = [], []
    for i, number in enumerate(numbers):
        if tell is not None:
            tell(INVERTING, i, len(numbers), f"test image {number}")
        one = originals[i : i + 1]
        found = inverter.walk(one, np.zeros(latent_dim), dims, view.grid, view.span)
        walks.append(found)
        made = trained.transformed_walk(one, found.latents)
        for how, walk in (
            (f"images found by inversion{sought}", found),
            ("the learned transformation of the original", made),
        ):
            figures.append(_draw_grid(trained, walk, number, how, axes, view.span))
    if tell is not None:
        tell(INVERTING, len(numbers), len(numbers), "")
    inverted = dict(zip(names[:: len(KINDS)], walks, strict=True))
    return dict(zip(names, figures, strict=True)), inverted


def _axes(
    trained: TrainedRun, originals: np.ndarray, dims: tuple[int, int] | str | None
) -> tuple[Sequence, list[str]]:
    """The two latent directions of the grids, and what to call them."""
    if dims == "principal":
        found = principal_directions(trained.target, trained.generator, originals)
        names = [f"principal {i + 1} ({found.explained[i]:.0%} explained)" for i in (0, 1)]
        return tuple(found.vectors[:2]), names
    if isinstance(dims, str):
        chosen = random_dims(trained.settings.latent_dim, trained.settings.seed) or ()
    else:
        chosen = dims or (0, 1)
    names = dict(enumerate(trained.dimensions))
    return chosen, [names.get(dim, "") for dim in chosen]  # `Inverter.walk` refuses others


def _draw_grid(
    trained: TrainedRun, walk: Walk, number: int, how: str, dims: list[str], span: float
) -> Figure:
    """One image's grid, titled with what was reached; `walk` is that of this image alone."""
    cells = walk.images[0]  # (grid, grid, h, w, c)
    answers = np.argmax(trained.target(cells.reshape(-1, *cells.shape[2:])), axis=-1)
    answer = int(np.argmax(trained.target(walk.start), axis=-1)[0])
    changed = (answers != answer).reshape(cells.shape[:2])
    names, label = trained.dataset.class_names, int(trained.dataset.y_test[number])
    wrong = "" if answer == label else f", taken for {names[answer]}"
    title = (
        f"What {trained.target.layer_name} cannot tell apart: "
        f"test image {number} ({names[label]}{wrong}), {how}\n"
        f"{walk.explained_fraction:.0%} of the change of kernels explained, "
        f"pixel distance {walk.pixel_distance:.2f}, same answer {np.mean(~changed):.0%}"
    )
    offsets = np.linspace(-span, span, len(cells)).tolist()
    return plots.invariances_figure(cells, offsets, dims, title, changed)


def _draw_filters(trained: TrainedRun) -> Figure:
    generated = trained.subject().kernel_sets(FILTER_ROWS).numpy()
    return plots.filters_figure(trained.target.kernel.numpy(), generated)


def _draw_mds(trained: TrainedRun) -> Figure:
    """The map of some filters, real ones and those of many latents."""
    found = FilterMap.of(trained)
    title = (
        f"{np.count_nonzero(found.is_real)} filters of {trained.target.layer_name}: the real one "
        f"(star) and {found.numbers.max() + 1} generated ones each\n(multi-dimensional scaling of "
        "Euclidean distances)"
    )
    return plots.mds_figure(found.points, found.channels, found.is_real, title)
