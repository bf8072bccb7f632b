"""Does it help? New classes from few labels, with real, generated and perturbed kernels.

    python benchmarks/few_labels.py [--dataset NAME] [--conditions TITLE ...] [--json FILE]
                                    [--figure FILE] [--choose]

A classifier and a FilterGAN on one of its layers are trained on the first half of a set's classes
(digits 0-4). Its prefix is then frozen, and the second half (digits 5-9) is learned from 50 to 1000
labels, class-balanced: what follows the layer is newly initialised and trained with the kernels of
a `Condition` at the layer. Conditions differ in nothing else: Adam from 3e-3 down along a cosine,
400 steps of 64, and for each seed the same labels, first weights and order of images. A seed is a
label subset and an initialisation; classifier and generator are shared by all.

All test images of the new classes judge, under the `mean` of 10 fixed draws (the inference of
`GeneratedConv2D`), under the `real` kernels (of `FilterAugmentation`), and by a `vote` of the 10
draws. In each case the batch norms first take the statistics of the few images as they are.

`--choose` tries `CANDIDATES` on a sixth of the new classes' training images, which no label subset
is drawn from, with other seeds. What `CONDITIONS` says was chosen there; test images choose
nothing. Finished runs in the JSON are not repeated.
"""

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path

from few_labels_conditions import Condition, ImageAugmentation, kernel_draws
from few_labels_data import NewClasses, balanced_subset, batches, halves, new_classes
from few_labels_report import accuracies, accuracy_figure, rows_of
from few_labels_source import add_options, noise_scale, trained_on
from few_labels_training import BATCH_SIZE, Transfer

from keras_filtergan.data import load_dataset, to_unit_interval
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.metrics.activations import activation_variation
from keras_filtergan.files import in_one_step, write_json
from keras_filtergan.runs.trained import TrainedRun

REAL = "real kernels"
IMAGES = 1.0  # this strength, and those below, by --choose: best mean over its label counts
GENERATED = {"kernels": "generated", "strength": 2.0, "share": 0.5}
CENTRED = {"kernels": "centred", "strength": 2.0}
NOISE = {"kernels": "noise"}
CONDITIONS = (
    Condition(REAL),
    Condition("real + images", images=IMAGES),
    Condition("generated", **GENERATED),
    Condition("generated + images", **GENERATED, images=IMAGES),
    Condition("centred", **CENTRED),
    Condition("centred + images", **CENTRED, images=IMAGES),
    Condition("noise", **NOISE),
    Condition("noise + images", **NOISE, images=IMAGES),
    Condition("generated, plain", "generated"),
    Condition("random, one for all", "fixed random"),
    Condition("random", "random"),
    Condition("T", transformed=1.0),
    Condition("T + images", transformed=1.0, images=IMAGES),
    Condition("generated + T", **GENERATED, transformed=1.0),
    Condition("generated + T + images", **GENERATED, transformed=1.0, images=IMAGES),
)
STRENGTHS = {  # (strength, share of the images) to choose from
    "generated": ((0.5, 1.0), (1.0, 1.0), (1.5, 1.0), (2.0, 1.0), (1.0, 0.5), (2.0, 0.5)),
    "noise": ((0.5, 1.0), (1.0, 1.0), (2.0, 1.0)),
    "centred": ((0.5, 1.0), (1.0, 1.0), (2.0, 1.0)),
}
CANDIDATES = (
    Condition(REAL),
    *(Condition(f"images × {s}", images=s) for s in (0.5, 1.0, 1.5)),
    *(
        Condition(f"{kind} × {strength}, {share:.0%}", kind, strength, share)
        for kind, choices in STRENGTHS.items()
        for strength, share in choices
    ),
    *(Condition(f"transformed × {s}", transformed=s) for s in (0.5, 1.0, 1.5, 2.0)),
    *(
        Condition(f"transformed × {s}, images × 1.0", images=IMAGES, transformed=s)
        for s in (0.5, 1.0)
    ),
    *(
        Condition(f"generated × {s}, 50%, transformed × 1.0", "generated", s, 0.5, transformed=1.0)
        for s in (1.0, 2.0)
    ),
)
INFERENCE = "real"  # by --choose as well
BASES = tuple((title, INFERENCE) for title in (REAL, "real + images", "noise"))
FIGURE = tuple((condition.title, INFERENCE) for condition in CONDITIONS[:8])
CHOICE_SEEDS, CHOICE_LABELS = (100, 101, 102), (50, 200)


class Record:
    """The JSON of all single results, grown run by run; what it holds is not repeated.

    Args:
        path: of the file; `None` keeps it in memory.
        settings: what all runs have in common.

    Raises:
        InputError: the file holds results of other settings.
    """

    def __init__(self, path: Path | None, settings: dict):
        self.path = path
        self.content = {"settings": settings, "runs": []}
        if path is not None and path.exists():
            held = json.loads(path.read_text())
            other = [k for k, v in settings.items() if held["settings"].get(k) != v]
            if other:
                raise InputError(f"{path} holds results with another {', '.join(other)}")
            self.content = held

    @property
    def runs(self) -> list[dict]:
        return self.content["runs"]

    def holds(self, condition: Condition, labels: int, seed: int) -> bool:
        wanted = (dataclasses.asdict(condition), labels, seed)
        return any((r["condition"], r["labels"], r["seed"]) == wanted for r in self.runs)

    def add(self, run: dict) -> None:
        self.runs.append(run)
        if self.path is not None:
            write_json(self.path, self.content)


def run_all(
    trained: TrainedRun, parts: NewClasses, record: Record, conditions, sizes, seeds
) -> None:
    """Every condition with every number of labels and seed that the record does not hold yet."""
    target, settings = trained.target, record.content["settings"]
    images, labels = parts.validation if settings["judged_by"] == "validation" else parts.test
    features = map_in_batches(lambda batch: target.features(to_unit_interval(batch)), images)
    for condition in conditions:
        cells = [(n, s) for n in sizes for s in seeds if not record.holds(condition, n, s)]
        if not cells:
            continue
        draw = kernel_draws(condition, target, trained.generator, settings["noise_scale"])
        augmentation = ImageAugmentation(condition, trained.transformation)
        schedule = {k: settings[k] for k in ("steps", "learning_rate", "fine_tune")}
        transfer = Transfer(target, condition, draw, augmentation, **schedule)
        kernels = transfer.inferences()
        for count, seed in cells:
            begin = time.perf_counter()
            rows = balanced_subset(parts.pool[1], count, seed)
            order = batches(count, BATCH_SIZE, settings["steps"], seed)
            transfer.learn(parts.pool[0][rows], parts.pool[1][rows], order, seed)
            accuracy = {k: transfer.accuracy(features, labels, w) for k, w in kernels.items()}
            run = {"condition": dataclasses.asdict(condition), "labels": count, "seed": seed}
            seconds = round(time.perf_counter() - begin, 2)
            record.add({**run, "accuracy": accuracy, "seconds": seconds})
            print(f"{condition.title}, {count} labels, seed {seed}: {accuracy}", flush=True)


def main() -> None:
    options = parse()
    old, new = halves(load_dataset(options.dataset, os.environ.get("TFDS_DATA_DIR")))
    if old.num_classes != new.num_classes:
        raise InputError("expected as many new classes as old ones")
    trained = trained_on(old, options)
    fingerprint = trained.target.fingerprint()
    settings = {
        "dataset": options.dataset,
        "layer": options.layer,
        "source": trained.settings.to_dict() | {"dataset": old.name},
        "classifier": fingerprint,
        "variation": activation_variation(trained.subject()).value,
        "noise_scale": noise_scale(trained),
        "steps": options.steps,
        "learning_rate": options.learning_rate,
        "fine_tune": options.fine_tune,
        "judged_by": "validation" if options.choose else "test",
    }
    record = Record(options.json, settings)
    conditions = [one for one in CONDITIONS if one.title in (REAL, *options.conditions)]
    sizes, seeds = options.labels, range(options.seeds)
    if options.choose:
        conditions, sizes, seeds = CANDIDATES, CHOICE_LABELS, CHOICE_SEEDS
    run_all(trained, new_classes(new), record, conditions, sizes, seeds)
    if trained.target.fingerprint() != fingerprint:
        raise RuntimeError("the frozen network has moved")
    minutes = sum(run["seconds"] for run in record.runs) / 60
    print(f"\n{accuracies(record.runs)}")
    for base in BASES:
        if base in rows_of(record.runs):
            print(f"\nless {base[0]}:\n\n{accuracies(record.runs, against=base)}")
    print(f"\n{len(record.runs)} runs in {minutes:.1f} minutes")
    if options.figure:
        title = f"{new.name} from few labels, behind a network that knows {old.name}"
        shown = [row for row in FIGURE if row in rows_of(record.runs)]
        with in_one_step(options.figure) as aside:
            accuracy_figure(record.runs, shown, REAL, title).savefig(aside, dpi=130)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    add = parser.add_argument
    add("--steps", type=int, default=400, help="of learning from the few labels")
    add("--learning-rate", type=float, default=3e-3, help="where its cosine starts")
    add("--labels", type=int, nargs="+", default=[50, 100, 200, 500, 1000])
    add("--seeds", type=int, default=5)
    titles = [condition.title for condition in CONDITIONS]
    add(
        "--conditions",
        nargs="+",
        choices=titles,
        default=titles,
        metavar="TITLE",
        help=f"beside {REAL!r}, not with --choose; of {titles}",
    )
    add("--fine-tune", action="store_true", help="start from what followed the layer")
    add("--choose", action="store_true", help="candidates on validation images")
    add("--json", type=Path, help="single results; finished ones are not repeated")
    add("--figure", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
