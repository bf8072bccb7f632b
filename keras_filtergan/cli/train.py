"""`train.py`: classifier, FilterGAN, card and pictures."""

import argparse
import dataclasses
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.command import (
    DONE,
    Parser,
    as_options,
    data_dir,
    import_tensorflow,
    network_options,
    pixel_options,
    run_script,
    user_path,
)
from keras_filtergan.cli.progress import PhaseProgress
from keras_filtergan.doors import command
from keras_filtergan.errors import InputError
from keras_filtergan.files import file_name, remove_leftovers
from keras_filtergan.gan.methods import METHODS
from keras_filtergan.generators.architectures import GENERATORS
from keras_filtergan.guards.locks import Busy
from keras_filtergan.runs.presets import PRESETS, preset
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import PRECISIONS, Settings

if TYPE_CHECKING:
    from keras_filtergan.distribution.engine import Engine
    from keras_filtergan.runs.training import Plan

DESCRIPTION = (
    "Train (or reuse) a classifier, then FilterGAN on one of its layers, then write the card and "
    "the pictures."
)


def train_main(arguments: Sequence[str] | None = None) -> int:
    """`train.py`: classifier, FilterGAN, card and pictures."""
    return run_script(Parser(prog="train.py", description=DESCRIPTION), _add_options, arguments)


def add_train(commands: "argparse._SubParsersAction[Any]") -> None:
    """The same as a sub-command."""
    _add_options(commands.add_parser("train", help="a run", description=DESCRIPTION))


def _add_options(parser: argparse.ArgumentParser) -> None:
    _add_network_options(parser)
    _add_training_options(parser)
    _add_engine_options(parser)
    _add_run_options(parser)
    parser.set_defaults(work=_train, saves_memory="a smaller --batch-size (with another --out)")


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    """Which layer of which network, and the images."""
    add, defaults = parser.add_argument, Settings()
    add(
        "--preset",
        metavar="NAME",
        help=f"settings to start from, which other options change: {', '.join(PRESETS)}",
    )
    add(
        "--layer",
        type=_layer,
        help=f"number (1 is the first) or name of the convolution; default {defaults.layer}",
    )
    add(
        "--dataset",
        metavar="NAME|FOLDER|FILE.npz",
        help=f"a TFDS set, a folder of class folders, or an .npz file; default {defaults.dataset}",
    )
    add("--data-dir", help="where TFDS keeps its prepared sets (else TFDS_DATA_DIR)")
    add(
        "--classifier",
        metavar="FILE.keras",
        help="a trained classifier instead of the standard one",
    )
    pixel_options(parser)


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    """How the generator is trained."""
    add, defaults = parser.add_argument, Settings()
    add("--steps", type=int, help=f"steps of FilterGAN; default {defaults.steps}")
    add("--batch-size", type=int, help=f"default {defaults.batch_size}")
    add("--latent-dim", type=int, help=f"default {defaults.latent_dim}")
    add(
        "--variation-goal",
        type=float,
        help="how much activations shall vary with the latent, as a share of how much they vary "
        f"between images; default {defaults.variation_goal}",
    )
    add(
        "--method",
        choices=METHODS,
        help="what the code is read off: changes in the directions in which images of a class "
        f"differ, or activations as in the paper; default {defaults.method}",
    )
    add(
        "--architecture",
        choices=GENERATORS,
        help="networks of G and D: one small network for every output channel with a part linear "
        f"in the latent, the same without it, or DCGAN's; default {defaults.architecture}",
    )
    add("--seed", type=int, help=f"default {defaults.seed}")
    add(
        "--precision",
        choices=PRECISIONS,
        help="in which the frozen network computes; the networks that are trained keep float32; "
        f"default {defaults.precision}",
    )


def _add_engine_options(parser: argparse.ArgumentParser) -> None:
    """On what steps are computed; results are the same but for rounding."""
    add = parser.add_argument
    add(
        "--strategy",
        choices=("one", "mirrored", "multi-worker"),
        default="one",
        help="one device, all GPUs of this machine, or the machines of TF_CONFIG; default one",
    )
    add("--jit-compile", action="store_true", help="let XLA compile the step (on one device)")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    """Where the run goes, and what is done with it."""
    add = parser.add_argument
    add("--out", type=user_path, help="run directory; default runs/<dataset>-layer<N>-seed<S>")
    add("--resume", action="store_true", help="go on from the last checkpoint of the run directory")
    add(
        "--dry-run",
        action="store_true",
        help="check everything (data and network too), print the settings, train nothing",
    )
    add(
        "--quick",
        action="store_const",
        const="quick",
        dest="preset",
        help="short for --preset quick, a smoke run of about a minute",
    )
    add(
        "--tensorboard",
        action="store_true",
        help="also write <run>/tensorboard (pip install tensorboard)",
    )
    add("--quiet", action="store_true", help="say nothing but errors")
    network_options(parser)


def _train(options: argparse.Namespace) -> int:
    settings = _settings(options)
    run = RunDirectory(options.out or _default_out(settings, options.preset))
    if options.resume and not run.config.exists():
        raise InputError(f"no run to resume in {str(run.path)!r}; start it without --resume")

    import_tensorflow()
    from keras_filtergan import data
    from keras_filtergan.distribution.engine import Engine
    from keras_filtergan.runs import training

    engine = Engine.of(options.strategy, options.jit_compile)
    say = _say if engine.is_chief and not options.quiet else _nothing
    here = data_dir(options)
    settings = dataclasses.replace(settings, dataset=data.absolute_source(settings.dataset, here))
    plan = training.plan(settings, here, say)
    run.check(plan.config)
    if options.dry_run:
        print(json.dumps({"out": str(run.path), **plan.config}, indent=2))
        return DONE
    if run.is_complete:
        if engine.is_chief:
            _complete(run, here, say)
        return DONE
    if engine.is_chief and run.config.exists() and not options.resume:
        raise InputError(f"{str(run.path)!r} holds an unfinished run; add --resume to go on")
    board = _board(run) if options.tensorboard else None
    is_quiet = options.quiet or not engine.is_chief
    _fill(run, plan, engine, board, is_quiet)
    return DONE


def _fill(
    run: RunDirectory, plan: "Plan", engine: "Engine", board: Path | None, is_quiet: bool
) -> None:
    """Train, draw and report; what goes wrong is told with what to do about it."""
    from keras_filtergan import evaluation
    from keras_filtergan.report.report import write_report
    from keras_filtergan.runs import gallery, training

    say = _nothing if is_quiet else _say
    verbose = 1 if sys.stdout.isatty() and not is_quiet else 0
    progress = None if is_quiet else PhaseProgress()
    try:
        trained, card = training.train(
            plan, run, verbose, say, tell=progress, board=board, engine=engine
        )
        if not engine.is_chief:
            return
        gallery.draw_gallery(trained, say=say, tell=progress)
        write_report(run, trained, say=say)
    except KeyboardInterrupt as stop:
        if run.is_complete:
            stop.add_note("the same command draws the pictures that are missing")
        elif run.config.exists():
            stop.add_note("to go on, add --resume to the same command")
        raise
    except Busy:
        raise
    except Exception as error:
        if run.config.exists() and not run.is_complete:
            error.add_note(
                f"the run in {str(run.path)!r} is unfinished: when the cause is gone, go on with "
                "--resume"
            )
        raise
    finally:
        if progress is not None:
            progress.close()
    say(evaluation.format_card(card))
    say(f"run: {run.path}; more pictures: {command('visualize', '--run', run.path)}")
    say(f"open {run.report} in a browser: what was found, and an explorer of it")


def _complete(run: RunDirectory, here: str | None, say: Callable[[str], None]) -> None:
    """What is still to be done for a run that has ended: pictures and report, if they are not."""
    from keras_filtergan import evaluation
    from keras_filtergan.report.report import write_report
    from keras_filtergan.runs import gallery
    from keras_filtergan.runs.trained import TrainedRun

    for folder in (run.path, run.figures):
        remove_leftovers(folder)
    gallery.draw_missing(TrainedRun.load(run, here), say=say)
    if not run.report.exists():
        write_report(run, data_dir=here, say=say)
    say(evaluation.format_card(run.read_evaluation()))
    say(f"{run.path} is complete; choose another --out or --seed for another run")


def _say(line: str) -> None:
    print(as_options(line), flush=True)


def _nothing(line: str) -> None:
    """What is said with `--quiet`."""


def _board(run: RunDirectory) -> Path:
    """The folder for TensorBoard, whose package is not one that a run needs."""
    if importlib.util.find_spec("tensorboard") is None:
        raise InputError("--tensorboard needs a package that is not here: pip install tensorboard")
    return run.path / "tensorboard"


def _settings(options: argparse.Namespace) -> Settings:
    """The preset's settings (or the method's) with every option in their place that was given."""
    if options.preset:
        start = preset(options.preset)
    else:
        start = Settings.of_method(options.method or Settings.method)
    names = {field.name for field in dataclasses.fields(Settings)}
    given = {k: v for k, v in vars(options).items() if k in names and v is not None}
    return dataclasses.replace(start, **given)


def _layer(text: str) -> int | str:
    """A layer's number, or its name."""
    return int(text) if text.isdecimal() else text


def _default_out(settings: Settings, preset_name: str | None) -> Path:
    parts = [Path(settings.dataset).stem, f"layer{file_name(settings.layer)}"]
    parts += [f"seed{settings.seed}"]
    parts += [settings.method] if settings.method != Settings.method else []
    parts += ["quick"] if preset_name == "quick" else []
    return Path("runs") / "-".join(parts)
