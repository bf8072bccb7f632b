"""What a training step costs in time and memory as batch, channels, images and latents grow.

    python benchmarks/scaling.py [--onednn both] [--json docs/results/scaling.json]

Layer 4 of the standard classifier from batch 64, 32 channels, 28×28×1 and 4 latent dimensions, one
of these changed at a time; images of more than 28 pixels a side in batches of 16. Each setting is a
fresh process: its largest resident memory, and how much of that was there before the first step
(mostly TensorFlow itself). The settings do not take turns; on a busy machine compare with care.
"""

import contest
from step_worker import Worker

BASIS = {"batch": 64, "channels": 32, "side": 28, "latent_dim": 4}
LISTS = {
    "batch": (16, 32, 64, 128, 256),
    "channels": (16, 32, 64, 128),
    "side": (28, 56, 112, 224),
    "latent_dim": (2, 4, 16, 64),
}
LARGE_BATCH = 16  # of the list of sides


def settings_of(what: str) -> list[dict[str, int]]:
    """The settings in which one number runs through its list."""
    basis = {**BASIS, "batch": LARGE_BATCH} if what == "side" else BASIS
    return [{**basis, what: value} for value in LISTS[what]]


def measure(setting: dict[str, int], options, onednn: str) -> dict:
    """One fresh process: times of a step and memory in megabytes, or why there are none."""
    more = {"threads": options.threads, "steps": 1}
    worker = Worker("ours", {**setting, **more}, onednn)
    try:
        if "error" in worker.offer:
            return {**setting, "onednn": onednn, **worker.offer}
        turn = {"step": worker.turns("")[": step"]}
        ms = contest.contest(turn, options.rounds, warm_up=1)["step"]
        memory = {"before_mb": worker.offer["memory"], "peak_mb": worker.memory()}
    finally:
        worker.close()
    return {**setting, "onednn": onednn, "ms": ms, **memory, "weights": worker.offer["weights"]}


def table(what: str, found: list[dict]) -> contest.Table:
    """One row a setting, columns for each mode."""
    modes = sorted({one["onednn"] for one in found})
    head = [what.replace("_dim", " dimensions"), "D's weights, millions"]
    for mode in modes:
        head += [f"ms a step {contest.ONEDNN[mode]}", "ms an image", "peak, MB", "before, MB"]
    rows = []
    for value in LISTS[what]:
        alike = {one["onednn"]: one for one in found if one[what] == value}
        cells = []
        for mode in modes:
            cells += _cells(alike[mode])
        weights = next((one["weights"] for one in alike.values() if "weights" in one), None)
        rows.append([str(value), contest.number(weights and weights / 1e6), *cells])
    rest = {key: value for key, value in settings_of(what)[0].items() if key != what}
    fixed = ", ".join(f"{key} {value}" for key, value in rest.items())
    return contest.Table(f"{what} ({fixed}), oneDNN off, on".replace("_dim", "s"), head, rows)


def _cells(one: dict) -> list[str]:
    if "ms" not in one:
        return ["–"] * 4
    each = one["ms"][1] / one["batch"]
    memory = (f"{one[key]:.0f}" for key in ("peak_mb", "before_mb"))
    return [str(contest.Quartiles(*one["ms"])), contest.number(each), *memory]


def main() -> None:
    parser = contest.parser(__doc__, rounds=5)
    parser.add_argument("--only", choices=list(LISTS), nargs="*", help="some of the lists")
    options = parser.parse_args()
    found, tables = {}, []
    for what in options.only or LISTS:
        found[what] = []
        for setting in settings_of(what):
            for mode in contest.modes(options.onednn):
                contest.say(f"oneDNN {contest.ONEDNN[mode]}: {setting}")
                found[what].append(measure(setting, options, mode))
                if "error" in found[what][-1]:
                    contest.say(f"  {found[what][-1]['error']}")
        tables.append(table(what, found[what]))
    contest.report(options, tables, found)


if __name__ == "__main__":
    main()
