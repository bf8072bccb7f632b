"""The command line: parse and check, then hand over. Free of TensorFlow until work begins."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_filtergan.errors import DivergenceError, InputError
from keras_filtergan.runs import RunDirectory, latest_run, open_run
from keras_filtergan.settings import Settings

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
QUICK_STEPS = 300


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> None:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see --help)\n")


def train_main(arguments: Sequence[str] | None = None) -> int:
    """`train.py`: classifier, FilterGAN, card and pictures."""
    parser = _Parser(
        prog="train.py",
        description="Train (or reuse) a classifier, then FilterGAN on one of its layers, "
        "then write the card and the pictures.",
    )
    add, defaults = parser.add_argument, Settings()
    add(
        "--layer", default=4, help="number (1 is the first) or name of the convolution; %(default)s"
    )
    add(
        "--dataset",
        default=defaults.dataset,
        metavar="NAME|FOLDER|FILE.npz",
        help="a TFDS set, a folder of class folders, or an .npz file; default %(default)s",
    )
    add("--data-dir", help="where TFDS keeps its prepared sets (else TFDS_DATA_DIR)")
    add(
        "--classifier",
        metavar="FILE.keras",
        help="a trained classifier instead of the standard one",
    )
    add("--steps", type=int, help=f"steps of FilterGAN; default {defaults.steps}")
    add("--batch-size", type=int, default=defaults.batch_size, help="default %(default)s")
    add("--latent-dim", type=int, default=defaults.latent_dim, help="default %(default)s")
    add("--seed", type=int, default=defaults.seed, help="default %(default)s")
    add("--out", type=Path, help="run directory; default runs/<dataset>-layer<N>-seed<S>")
    add("--resume", action="store_true", help="go on from the last checkpoint of the run directory")
    add(
        "--dry-run",
        action="store_true",
        help="check everything (data and network too), print the settings, train nothing",
    )
    add(
        "--quick",
        action="store_true",
        help=f"a smoke run of about a minute: {QUICK_STEPS} steps, 1 epoch for the classifier",
    )
    add("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return _guarded(lambda: _train(options), options.debug)


def visualize_main(arguments: Sequence[str] | None = None) -> int:
    """`visualize.py`: the pictures of a finished run."""
    parser = _Parser(prog="visualize.py", description="Draw the figures of a finished run.")
    add = parser.add_argument
    add("--run", type=Path, help="run directory; default the latest under runs/")
    add("--images", type=int, nargs="+", metavar="I", help="numbers of test images; default four")
    add("--grid", type=int, default=7, help="pictures along each side, odd; default %(default)s")
    add(
        "--span",
        type=float,
        default=3.0,
        help="reach of the grid from its centre, in standard deviations; default %(default)s",
    )
    add(
        "--dims",
        type=_dims,
        default="random",
        metavar="random|principal|I,J",
        help="two latent dimensions: drawn by the run's seed, those that images explain best, or "
        "given; default %(default)s",
    )
    add(
        "--parametrization",
        default="pixels",
        choices=["pixels", "fourier", "deformation"],
        help="coordinates in which the images are optimised; default %(default)s",
    )
    add(
        "--prior",
        default="total_variation",
        choices=["total_variation", "multiscale_edge", "none"],
        help="default %(default)s",
    )
    add("--out", type=Path, help="folder for the figures; default <run>/figures")
    add("--data-dir", help="where TFDS keeps its prepared sets; default as in training")
    add("--debug", action="store_true", help="show the traceback of an error")
    options = parser.parse_args(arguments)
    return _guarded(lambda: _visualize(options), options.debug)


def module_main(arguments: Sequence[str] | None = None) -> int:
    """`python -m keras_filtergan`: what can be done with a finished run beside pictures."""
    parser = _Parser(prog="keras_filtergan", description="Work with finished runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    evaluate = commands.add_parser(
        "evaluate", help="compute the whole card, for the run and for three baselines"
    )
    evaluate.add_argument("--run", type=Path, help="run directory; default the latest under runs/")
    evaluate.add_argument("--only", nargs="+", metavar="NAME", help="these metrics only")
    evaluate.add_argument("--data-dir", help="where TFDS keeps its prepared sets")
    evaluate.add_argument("--debug", action="store_true", help="show the traceback of an error")
    evaluate.set_defaults(work=_evaluate)
    options = parser.parse_args(arguments)
    return _guarded(lambda: options.work(options), options.debug)


def _guarded(work: Callable[[], int], debug: bool) -> int:
    """Run the work; turn what can go wrong into one line and an exit code."""
    try:
        return work()
    except BaseException as error:
        if debug or isinstance(error, SystemExit):
            raise
        code, line = _explain(error)
        print(line, file=sys.stderr)
        return code


def _import_tensorflow() -> None:
    """Import TensorFlow without the notes that its C++ part writes to stderr meanwhile.

    An error of the import itself is a Python exception and still comes through.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    stderr = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _explain(error: BaseException) -> tuple[int, str]:
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted; files that were finished are kept"
    if isinstance(error, InputError):
        return BAD_INPUT, f"error: {error}"
    if isinstance(error, DivergenceError):
        return FAILED, f"error: {error}"
    text = (str(error).strip().splitlines() or [""])[0]
    return FAILED, f"error: {type(error).__name__}: {text} (--debug shows where)"


def _train(options: argparse.Namespace) -> int:
    settings = Settings(
        layer=int(options.layer) if str(options.layer).isdecimal() else options.layer,
        dataset=_absolute(options.dataset),
        classifier=options.classifier,
        classifier_epochs=1 if options.quick else Settings.classifier_epochs,
        steps=_steps(options),
        batch_size=options.batch_size,
        latent_dim=options.latent_dim,
        seed=options.seed,
    )
    run = RunDirectory(options.out or _default_out(settings, options.quick))
    if options.resume and not run.config.exists():
        raise InputError(f"no run to resume in {str(run.path)!r}; start it without --resume")

    _import_tensorflow()
    from keras_filtergan import evaluation, gallery, training
    from keras_filtergan.trained import TrainedRun

    plan = training.plan(settings, _data_dir(options))
    run.check(plan.config)
    if options.dry_run:
        print(json.dumps({"out": str(run.path), **plan.config}, indent=2))
        return DONE
    if run.is_complete:
        if not run.figures.exists():
            gallery.draw_gallery(run, TrainedRun.load(run), gallery.View(), run.figures, print)
        print(evaluation.format_card(run.read_evaluation()))
        print(f"{run.path} is complete; choose another --out or --seed for another run")
        return DONE
    if run.config.exists() and not options.resume:
        raise InputError(f"{str(run.path)!r} holds an unfinished run; add --resume to go on")
    verbose = 1 if sys.stdout.isatty() else 2
    try:
        trained, card = training.train(plan, run, verbose=verbose)
    except training.Interrupted as interruption:
        print(f"{interruption}; to go on, add --resume to the same command", file=sys.stderr)
        return INTERRUPTED
    gallery.draw_gallery(run, trained, gallery.View(), run.figures, print)
    print(evaluation.format_card(card))
    print(f"run: {run.path}; more pictures: python visualize.py --run {run.path}")
    return DONE


def _visualize(options: argparse.Namespace) -> int:
    run = open_run(options.run) if options.run else latest_run(Path("runs"))
    _import_tensorflow()
    from keras_filtergan import gallery
    from keras_filtergan.trained import TrainedRun

    view = gallery.View(
        images=tuple(options.images) if options.images else None,
        grid=options.grid,
        span=options.span,
        dims=options.dims,
        parametrization=options.parametrization,
        prior=options.prior,
    )
    trained = TrainedRun.load(run, _data_dir(options))
    gallery.draw_gallery(run, trained, view, options.out or run.figures, print)
    return DONE


def _evaluate(options: argparse.Namespace) -> int:
    run = open_run(options.run) if options.run else latest_run(Path("runs"))
    _import_tensorflow()
    from keras_filtergan import evaluation
    from keras_filtergan.evaluation.registry import check_names
    from keras_filtergan.shelf import independent_classifier
    from keras_filtergan.trained import TrainedRun

    check_names(options.only or [])
    trained = TrainedRun.load(run, _data_dir(options))
    subject = trained.subject(independent_classifier(trained, run.path.parent))
    card = evaluation.full_card(subject, options.only, say=print)
    run.write_evaluation(evaluation.merge_cards(run.read_evaluation(), card))
    print(evaluation.format_card(card))
    return DONE


def _steps(options: argparse.Namespace) -> int:
    if options.steps is not None:
        return options.steps
    return QUICK_STEPS if options.quick else Settings.steps


def _absolute(dataset: str) -> str:
    """The data set's name; of a path, one that other working directories understand as well."""
    is_path = os.sep in dataset or dataset.endswith(".npz")
    return os.path.abspath(dataset) if is_path and os.path.exists(dataset) else dataset


def _data_dir(options: argparse.Namespace) -> str | None:
    folder = options.data_dir or os.environ.get("TFDS_DATA_DIR")
    return os.path.abspath(os.path.expanduser(folder)) if folder else None


def _default_out(settings: Settings, quick: bool) -> Path:
    name = f"{Path(settings.dataset).stem}-layer{settings.layer}-seed{settings.seed}"
    return Path("runs") / (name + "-quick" * quick)


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
