"""A training step on layer 4 of the MNIST classifier, beside the same networks in torch.

    python benchmarks/train_step.py [--base DIR] [--json docs/results/train_step.json]

Batch 64, everything as `FilterGAN` has it by default; tests/benchmarks/test_train_step.py shows
that losses and gradients in torch are ours. Once on batches that are there, once with their making
(ours is a function of seed and step, torch's is not). `--base` puts the step of another checkout
beside it. Each contestant is a process of its own, and all of them take turns in one run. The share
of the peak is that of the operations in products and convolutions that torch needs with as few
backward passes as autograd allows, in the time they would take at the speed of a product of two
matrices of 1024 × 1024.
"""

from pathlib import Path

import contest
from step_worker import SIZE, Worker

TORCH, MERGED = "torch, as ours", "torch, fewest passes"
OURS, BASE = "ours, oneDNN {}", "base, oneDNN {}"


def workers_of(options) -> dict[str, Worker]:
    """Name → process, those that cannot take a step left out."""
    settings = {"batch": options.batch, "steps": options.steps, "threads": options.threads}
    wanted = {}
    for mode in contest.modes(options.onednn):
        name = contest.ONEDNN[mode]
        wanted[OURS.format(name)] = ("ours", settings, mode)
        if options.base:
            wanted[BASE.format(name)] = ("ours", settings, mode, options.base.resolve())
        if options.jit:
            wanted[OURS.format(name) + ", XLA"] = ("ours", {**settings, "jit": True}, mode)
    if contest.has_torch():
        wanted[TORCH] = ("torch", {**settings, "merged": False}, "1")
        wanted[MERGED] = ("torch", {**settings, "merged": True}, "1")
    workers = {}
    for name, arguments in wanted.items():
        worker = Worker(*arguments)
        if "error" in worker.offer:
            contest.say(f"  without {name}: {worker.offer['error']}")
            worker.close()
        else:
            workers[name] = worker
    return workers


def measure(options) -> dict:
    """Times of all, the operations of a step if torch is there to count them, and commits."""
    workers = workers_of(options)
    turns = {}
    for name, worker in workers.items():
        turns |= worker.turns(name)
    try:
        times = contest.contest(turns, options.rounds, warm_up=1)
    finally:
        for worker in workers.values():
            worker.close()
    offers = {name: worker.offer for name, worker in workers.items()}
    flops = [offer["flop"] for offer in offers.values() if "flop" in offer]
    return {
        "ms": times,
        "flop": min(flops, default=None),
        "commits": {name: offer["commit"] for name, offer in offers.items()},
    }


def peak(found: dict) -> float:
    """Operations a millisecond of the fastest product of matrices, in a quarter of its turns."""
    return 2 * SIZE**3 / min(ms[0] for name, ms in found["ms"].items() if "product" in name)


def table(found: dict) -> contest.Table:
    """One row a contestant; ratios say how many times as long it takes as the others."""
    ms, names = found["ms"], list(found["commits"])
    others = [name for name in (BASE.format("on"), TORCH, MERGED) if name in names]
    head = ["", "step, ms", "with stream, ms", *(f"/ {name}" for name in others), "of the peak"]
    rows = []
    for name in names:
        step = ms[f"{name}: step"]
        cells = [str(contest.Quartiles(*ms[f"{name}: {turn}"])) for turn in ("step", "with stream")]
        cells += [contest.number(step[1] / ms[f"{other}: step"][1]) for other in others]
        share = found["flop"] and found["flop"] / (step[0] * peak(found))
        rows.append([f"{name} ({found['commits'][name]})", *cells, _percent(share)])
    gflop = f", {found['flop'] / 1e9:.2f} GFLOP" if found["flop"] else ""
    speed = f"{peak(found) / 1e6:.0f} GFLOP/s"
    return contest.Table(f"Step of layer 4{gflop}; peak {speed}", head, rows)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def main() -> None:
    parser = contest.parser(__doc__, rounds=20)
    parser.add_argument("--base", type=Path, metavar="DIR", help="another checkout, beside this")
    parser.add_argument("--batch", type=int, default=64, help="images a step; 64")
    parser.add_argument("--steps", type=int, default=5, help="steps a turn; 5")
    parser.add_argument("--jit", action="store_true", help="ours compiled by XLA as well")
    options = parser.parse_args()
    found = measure(options)
    contest.report(options, [table(found)], found)


if __name__ == "__main__":
    main()
