"""`visualize.py`: the pictures of a finished run."""

import argparse
from collections.abc import Sequence
from typing import Any

from keras_filtergan.cli.command import (
    DONE,
    Parser,
    chosen_run,
    data_dir,
    import_tensorflow,
    network_options,
    run_option,
    run_script,
    user_path,
)
from keras_filtergan.cli.progress import PhaseProgress
from keras_filtergan.files import check_writable
from keras_filtergan.images.choices import PARAMETRIZATIONS, WALK_PRIORS
from keras_filtergan.runs.run_directory import RunDirectory, open_run
from keras_filtergan.runs.view import View

DESCRIPTION = "Draw the figures of a finished run, and write its report."


def visualize_main(arguments: Sequence[str] | None = None) -> int:
    """`visualize.py`: the pictures of a finished run."""
    parser = Parser(prog="visualize.py", description=DESCRIPTION)
    return run_script(parser, _add_options, arguments)


def add_visualize(commands: "argparse._SubParsersAction[Any]") -> None:
    """The same as a sub-command."""
    _add_options(commands.add_parser("visualize", help="its pictures", description=DESCRIPTION))


def _add_options(parser: argparse.ArgumentParser) -> None:
    run_option(parser)
    _add_view_options(parser)
    _add_report_options(parser)
    add = parser.add_argument
    add(
        "--out",
        type=user_path,
        help="folder for figures and report; default <run>/figures, and <run> for the report",
    )
    add("--data-dir", help="where TFDS keeps its prepared sets; default as in training")
    network_options(parser)
    parser.set_defaults(work=_visualize, saves_memory="a smaller --grid")


def _add_view_options(parser: argparse.ArgumentParser) -> None:
    """What is drawn, and how pictures are sought."""
    add, defaults = parser.add_argument, View()
    add("--images", type=int, nargs="+", metavar="I", help="numbers of test images; default four")
    add(
        "--grid",
        type=int,
        default=defaults.grid,
        help="pictures along each side, odd; default %(default)s",
    )
    add(
        "--span",
        type=float,
        default=defaults.span,
        help="reach of the grid from its centre, in standard deviations; default %(default)s",
    )
    add(
        "--dims",
        type=_dims,
        default=defaults.dims,
        metavar="random|principal|I,J",
        help="two latent dimensions: drawn by the run's seed, those that images explain best, or "
        "given; default the first two",
    )
    add(
        "--parametrization",
        default=defaults.parametrization,
        choices=PARAMETRIZATIONS,
        help="coordinates in which the images are optimised; default %(default)s",
    )
    add(
        "--prior",
        default=defaults.prior,
        choices=WALK_PRIORS,
        help="default %(default)s",
    )
    add(
        "--jitter",
        type=int,
        default=defaults.jitter,
        metavar="PIXELS",
        help="shift images at random by up to so much while they are sought; default %(default)s",
    )


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    """What the report holds."""
    add = parser.add_argument
    add(
        "--report-only",
        action="store_true",
        help="write report.html again and draw nothing; the run need not be whole",
    )
    add(
        "--thorough",
        action="store_true",
        help="for the report train an independent network and invert each image of its explorer: "
        "about a minute for small images",
    )
    add(
        "--beside",
        type=user_path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="finished runs whose figures the report shows beside those of this one",
    )


def _visualize(options: argparse.Namespace) -> int:
    run = _run(options)
    beside = [open_run(path) for path in options.beside]
    folder = options.out or run.figures
    place = options.out or run.path
    check_writable(place)
    import_tensorflow()
    from keras_filtergan.report.report import write_report
    from keras_filtergan.runs import gallery
    from keras_filtergan.runs.trained import TrainedRun

    here = data_dir(options)
    tell = PhaseProgress()
    more = {"data_dir": here, "beside": beside, "thorough": options.thorough, "tell": tell}
    if options.report_only:
        drawn = options.out if options.out and any(options.out.glob("*.npz")) else run.figures
        write_report(run, None, place, walks=drawn, **more)
        return DONE
    view = View(
        images=tuple(options.images) if options.images else None,
        grid=options.grid,
        span=options.span,
        dims=options.dims,
        parametrization=options.parametrization,
        prior=options.prior,
        jitter=options.jitter,
    )
    trained = TrainedRun.load(run, here)
    gallery.draw_gallery(trained, view, folder, tell=tell)
    write_report(run, trained, place, walks=folder, **more)
    return DONE


def _run(options: argparse.Namespace) -> RunDirectory:
    """The run that is meant; for its report alone it may be unfinished."""
    if options.report_only and options.run is not None and options.run.is_dir():
        return RunDirectory(options.run)
    return chosen_run(options)


def _dims(text: str) -> str | tuple[int, int]:
    """`random`, `principal`, or two latent dimensions as I,J."""
    if text in ("random", "principal"):
        return text
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(
            f"expected random, principal or two numbers as I,J, received {text!r}"
        )
    return int(parts[0]), int(parts[1])
