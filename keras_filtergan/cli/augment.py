"""`python -m keras_filtergan augment`: a data set with what the classifier cannot tell apart."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from keras_filtergan.augmentation.recipe import WAY_NAMES, Recipe
from keras_filtergan.cli.command import (
    DONE,
    chosen_run,
    data_dir,
    import_tensorflow,
    network_options,
    run_option,
    say_first_look,
    user_path,
)
from keras_filtergan.cli.progress import Progress
from keras_filtergan.doors import command

if TYPE_CHECKING:
    from keras_filtergan.augmentation.augmentation import Piece


def add_augment(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = commands.add_parser(
        "augment",
        help="write a data set with images that the run's classifier cannot tell from its own",
        description="For training images, make images that cause under generated kernels the "
        "activations that the originals cause under those of the latent 0. Those that keep their "
        "label under the run's classifier are written, with the originals and the test images, as "
        "a TFDS folder that train.py --dataset reads. The same command goes on after a stop.",
    )
    add, defaults = parser.add_argument, Recipe()
    run_option(parser)
    add("--out", type=user_path, required=True, metavar="FOLDER", help="the data set to write")
    add("--images", type=int, help="training images to take, drawn by the seed; default all")
    add("--draws", type=int, help=f"images to make of each; default {defaults.draws}")
    add(
        "--span",
        type=float,
        help=f"how far to go, in standard deviations of the latent; default {defaults.span}",
    )
    add(
        "--by",
        choices=WAY_NAMES,
        help="look for each image by descent (exact, slow), or take the transformation that was "
        f"learned along with the generator (fast); default {defaults.by}",
    )
    add("--steps", type=int, help=f"steps of the descent; default {defaults.steps}")
    add("--seed", type=int, help=f"of images and latents; default {defaults.seed}")
    add(
        "--without-originals",
        dest="originals",
        action="store_false",
        help="leave the training images themselves out",
    )
    add("--data-dir", help="where TFDS keeps its prepared sets; default as in training")
    network_options(parser)
    parser.set_defaults(work=augment)


def augment(options: argparse.Namespace) -> int:
    """Check, make the images, write them."""
    names = {field.name for field in dataclasses.fields(Recipe)}
    recipe = Recipe(**{k: v for k, v in vars(options).items() if k in names and v is not None})
    run = chosen_run(options)
    import_tensorflow()
    from keras_filtergan.augmentation.augmentation import Augmentation
    from keras_filtergan.augmentation.augmented_dataset import AugmentedDataset, ingredients
    from keras_filtergan.runs.trained import TrainedRun

    place = AugmentedDataset(options.out, ingredients(run, recipe, options.originals))
    place.check()
    if place.is_complete:
        place.discard_pieces()
        print(f"{options.out} is complete: {_summary(place.read_record()['counts'])}")
        return DONE
    try:
        trained = TrainedRun.load(run, data_dir(options))
        say_first_look(trained)
        augmentation = Augmentation(trained, recipe)
        progress = Progress(augmentation.examples)
        progress.advance(0, 0, is_new=True)  # the first piece takes a while

        def advance(piece: "Piece", is_new: bool) -> None:
            progress.advance(piece.tried, len(piece.images), is_new)
            if progress.done == progress.total:
                progress.close()
                print("writing the data set", flush=True)

        try:
            counts = place.fill(augmentation, options.originals, advance)
        finally:
            progress.close()
    except KeyboardInterrupt as stop:
        stop.add_note("the same command goes on")
        raise
    print(f"{_summary(counts)}; to train on it: {command('train', '--dataset', options.out)}")
    return DONE


def _summary(counts: dict[str, Any]) -> str:
    changed = counts["made"] - counts["kept"]
    explained = counts["explained_fraction"]
    share = "" if explained is None else f", {explained:.0%} of the change of kernels explained"
    return (
        f"kept {counts['kept']:,} of {counts['made']:,} images made ({changed:,} changed their "
        f"label{share}), left out {counts['wrong_originals']:,} originals that the classifier gets "
        f"wrong; {counts['train']:,} training and {counts['test']:,} test images"
    )
