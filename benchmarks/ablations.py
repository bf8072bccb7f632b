"""What each part is good for: FilterGAN trained without it, and at other points of the trade-off.

    python benchmarks/ablations.py {natural,parts,variation} [--dataset NAME] [--layer N] [--seed S]
                                   [--json FILE] [--figure FILE] [--out DIR]

`natural` leaves out one part of the natural method at a time, `parts` one of the infogan method;
`variation` asks the infogan method for more or less variation. Each row is a training run of its
own with the settings of `train.py` otherwise. Parts that no setting switches off are left out by a
subclass of `NaturalFilterGAN` (`VARIANTS`). Where a control is left out, its value is the one at
which the first run's settled. Finished runs are not repeated; a run that diverges is a row without
numbers. The figure shows the rows by the variation that they reached; of `natural`, what it costs
to let T explain more.
"""

import argparse
import dataclasses
import os
from pathlib import Path
from unittest import mock

from matplotlib.figure import Figure

from keras_filtergan.errors import DivergenceError
from keras_filtergan.files import in_one_step, write_json
from keras_filtergan.gan import natural_filtergan
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN
from keras_filtergan.gan.transformation import ImageTransformation
from keras_filtergan.runs import training
from keras_filtergan.runs.presets import infogan
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings


class AllAtOnce(NaturalFilterGAN):
    """Every latent dimension moves at a time; Q reads all steps."""

    _pair = FilterGAN._pair


class AlikeAllowed(NaturalFilterGAN):
    """T's dimensions may all be the same change."""

    _alikeness = FilterGAN._alikeness


class Painting(AlikeAllowed):
    """T is that of the infogan method: it may blur, sharpen and brighten too.

    Its dimensions are not kept apart, and not rotated to known kinds after training.
    """

    def _make_judges(self, *args) -> None:
        super()._make_judges(*args)
        self.transformation = ImageTransformation(self.latent_dim, seed=args[-1])
        shapes = [(None, *self.target.image_shape), *[(None, self.latent_dim)] * 2]
        self.transformation.build(shapes)


VARIANTS = {
    "all of z moves at once": AllAtOnce,
    "T's dimensions may be alike": AlikeAllowed,
    "T brightens and blurs too": Painting,
}
STUDIES = {
    "natural": {
        "everything": {},
        "Q reads activations": {"method": "infogan"},
        "G has no part linear in z": {"architecture": "shared"},
        "no image transformation": {"image_weight": 0.0},
        "the bias is free": {"bias_weight": 0.0},
        "no answer loss": {"answer_weight": 0.0},
        "10 natural directions": {"rank": 10},
        "200 natural directions": {"rank": 200},
        "D does not know the class": {"conditional": False},
        **{title: {} for title in VARIANTS},
        "image weight 5": {"image_weight": 5.0},
        "image weight 60": {"image_weight": 60.0},
        "image weight 60, the bias is free": {"image_weight": 60.0, "bias_weight": 0.0},
    },
    "parts": {
        "everything": {},
        "no noise on Q": {"code_noise": 0.0},
        "no noise on D": {"discriminator_noise": 0.0, "accuracy_goal": None},
        "no control of D's noise": {"accuracy_goal": None, "discriminator_noise": "settled"},
        "no control of λ": {
            "variation_goal": None,
            "code_weight": "settled",
            "code_noise": "settled",
        },
        "D does not know the class": {"conditional": False},
        "no answer loss": {"answer_weight": 0.0},
        "no image transformation": {"image_weight": 0.0},
        "no averaging": {"averaging": 0.0},
        "Algorithm 1 as printed": {
            "accuracy_goal": None,
            "variation_goal": None,
            "code_noise": 0.0,
            "discriminator_noise": 0.0,
            "conditional": False,
            "answer_weight": 0.0,
            "image_weight": 0.0,
            "averaging": 0.0,
            "generator_loss": "saturating",
        },
    },
    "variation": {
        "everything": {},  # the default goal, 0.45
        **{
            f"variation goal {goal}": {"variation_goal": goal}
            for goal in (0.03, 0.1, 0.2, 0.3, 0.6, 0.8)
        },
    },
}
BASES = {"natural": Settings, "parts": infogan, "variation": infogan}
METRICS = (
    "classifier_accuracy",
    "swapped_accuracy",
    "averaged_accuracy",
    "activation_variation",
    "activation_bias",
    "code_r2",
    "code_information",
    "natural_share",
    "natural_coverage",
    "critic_accuracy",
    "natural_critic",
    "explained_fraction",
    "pixel_distance",
    "even_share",
    "label_agreement",
    "transformed_fraction",
    "geometry_kinds",
)
VARIATION = "activation_variation"
BALANCE = ("discriminator_noise", "code_weight", "code_noise")


def row(title: str, settings: Settings, run: RunDirectory, data_dir: str | None) -> dict:
    """Train, unless that is done, and measure what the table shows."""
    plan = training.plan(settings, data_dir)
    run.check(plan.config)  # what is there may have been trained otherwise
    played = VARIANTS.get(title, NaturalFilterGAN)
    if not run.is_complete:
        with mock.patch.object(natural_filtergan, "NaturalFilterGAN", played):
            training.train(plan, run, verbose=0, say=lambda line: None, metrics=METRICS)
    card = run.read_evaluation()
    last = run.read_history()[-1]
    return {
        "title": title,
        **{name: card.get(name) for name in METRICS},  # a card of before may lack some
        **{name: last[name] for name in BALANCE},
    }


def settled(changes: dict, rows: list[dict]) -> dict:
    """Changes with the values at which the first run's controls ended."""
    return {k: rows[0][k] if value == "settled" else value for k, value in changes.items()}


def line(values: dict) -> str:
    if "diverged" in values:
        return f"| {values['title']} | diverged: {values['diverged']} |"
    swapped = values["swapped_accuracy"]
    numbers = [values["classifier_accuracy"], swapped["mean"], swapped["min"]]
    numbers += [values[name] for name in METRICS[2:]]
    numbers += [values[name] for name in BALANCE]
    cells = ["–" if number is None else f"{number:.3f}" for number in numbers]
    return f"| {values['title']} | " + " | ".join(cells) + " |"


def trade_off_figure(rows: list[dict], title: str) -> Figure:
    """What variation costs and what it is made of, a marker a row."""
    rows = sorted((row for row in rows if "diverged" not in row), key=lambda r: r[VARIATION])
    at = [row[VARIATION] for row in rows]
    swapped = [row["swapped_accuracy"] for row in rows]
    panels = {
        "test accuracy": {
            "classifier": [row["classifier_accuracy"] for row in rows],
            "ten generated layers averaged": [row["averaged_accuracy"] for row in rows],
            "one generated layer, mean": [one["mean"] for one in swapped],
            "one generated layer, worst of 100": [one["min"] for one in swapped],
        },
        "share": {
            "fresh critic is right": [row["critic_accuracy"] for row in rows],
            "an image change explains": [row["explained_fraction"] for row in rows],
            "pixel distance of that image": [row["pixel_distance"] for row in rows],
        },
    }
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for ax, (name, curves) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for (label, values), look in zip(
            curves.items(), ("k:", "ks-", "ko-", "k^--"), strict=False
        ):
            ax.plot(
                at, values, look, label=label, markersize=4, linewidth=1, markerfacecolor="white"
            )
        ax.set(xlabel="variation of activations V_z / V_x", ylabel=name)
        ax.legend(fontsize=8, frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10)
    return figure


def transformation_figure(rows: list[dict], title: str) -> Figure:
    """What asking more of T costs: rows that differ in `image_weight`, the bias held or free."""
    weights = {"image_weight", "bias_weight"}
    asked = [row for row in rows if "diverged" not in row and set(row["changes"]) <= weights]
    asked = [row for row in asked if row["title"] not in VARIANTS]
    asked.sort(key=lambda row: row["changes"].get("image_weight", Settings.image_weight))
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    names = ("activation_bias", "natural_critic", "natural_share")
    for ax, name in zip(figure.subplots(1, 3), names, strict=True):
        for label, look, free in (("bias held", "ko-", False), ("bias free", "k^--", True)):
            line = [row for row in asked if (row["changes"].get("bias_weight") == 0.0) is free]
            at = [row["transformed_fraction"] for row in line]
            values = [row[name] for row in line]
            ax.plot(at, values, look, label=label, markersize=4, linewidth=1, markerfacecolor="w")
            for row, x, y in zip(line, at, values, strict=True):
                weight = row["changes"].get("image_weight", Settings.image_weight)
                ax.annotate(f"{weight:g}", (x, y), (4, 4), textcoords="offset points", fontsize=8)
        ax.set(xlabel="T alone explains", ylabel=name.replace("_", " "))
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(fontsize=8, frameon=False)
    figure.suptitle(f"{title}; numbers: image weight", fontsize=10)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--dataset", default=Settings.dataset)
    parser.add_argument("--layer", type=int, default=Settings.layer)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--steps", type=int, default=Settings.steps)
    parser.add_argument("--json", type=Path, help="write the table here as well")
    parser.add_argument("--figure", type=Path, help="draw the rows here, by their variation")
    parser.add_argument("--out", type=Path, default=Path("runs"), help="where the runs go")
    options = parser.parse_args()
    base = dataclasses.replace(
        BASES[options.study](),
        layer=options.layer,
        dataset=options.dataset,
        seed=options.seed,
        steps=options.steps,
    )
    names = ["classifier", "swapped", "worst", *METRICS[2:], "σ_D", "λ", "σ_Q"]
    print("| | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|", flush=True)
    rows = []
    data_dir = os.environ.get("TFDS_DATA_DIR")
    for title, changes in STUDIES[options.study].items():
        changes = settled(changes, rows)
        words = [title.replace(" ", "-"), Path(base.dataset).stem, f"layer{base.layer}"]
        name = "-".join([*words, f"seed{base.seed}", str(base.steps)])
        settings = dataclasses.replace(base, **changes)
        try:
            rows.append(row(title, settings, RunDirectory(options.out / name), data_dir))
        except DivergenceError as error:
            if not rows:  # the others take what it settled at
                raise
            rows.append({"title": title, "diverged": str(error)})
        rows[-1]["changes"] = changes
        print(line(rows[-1]), flush=True)
        if options.json:
            write_json(options.json, {"settings": base.to_dict(), "rows": rows})
    if options.figure:
        title = f"{base.dataset}, layer {base.layer}, seed {base.seed}, {base.steps} steps"
        with in_one_step(options.figure) as aside:
            draw = transformation_figure if options.study == "natural" else trade_off_figure
            draw(rows, title).savefig(aside, dpi=130)


if __name__ == "__main__":
    main()
