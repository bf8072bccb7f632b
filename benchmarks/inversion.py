"""A walk by inversion beside the loop that cannot be left out, in TensorFlow and in torch.

    python benchmarks/inversion.py [--json docs/results/inversion.json]

`Inverter.walk` from 4 images over a grid of 7 × 7 latents, 60 steps: 196 images at once, each under
kernels of its own. The bare loop goes through the network forward and backward as often, moves the
pixels down the gradient of the squared error and does nothing else: no prior, no Adam, no history,
no best image. With jitter the bare loop also makes the activations that a step is to reach, of the
shifted originals. Milliseconds a step of the whole walk.
"""

import json

import contest
import numpy as np
from step_worker import made

from keras_filtergan.data import to_unit_interval

IMAGES, GRID = 4, 7
NAMES = ("Inverter.walk", "bare loop", "torch, bare loop")


def problem(gan, images: np.ndarray) -> dict[str, np.ndarray]:
    """What all contestants are given: images, and the kernels and wanted activations of each."""
    from keras_filtergan.inversion.walks import latent_grid

    start = to_unit_interval(images[:IMAGES])
    latents = latent_grid(np.zeros(gan.latent_dim), gan.latent_dim, (0, 1), GRID, 3.0)
    kernels = np.asarray(gan.generator(latents.reshape(GRID**2, -1)))
    middle = kernels[len(kernels) // 2]
    wanted = np.asarray(gan.target.activations(gan.target.features(start), middle))
    return {
        "start": start.repeat(GRID**2, 0),
        "kernels": np.tile(kernels, (IMAGES, 1, 1, 1, 1)),
        "wanted": wanted.repeat(GRID**2, 0),
        "middle": middle,
    }


def walk(gan, images: np.ndarray, steps: int, jitter: int):
    from keras_filtergan.inversion.inversion import Inverter

    inverter = Inverter(gan.target, gan.generator, steps=steps, jitter=jitter)
    start = to_unit_interval(images[:IMAGES])
    return lambda: inverter.walk(start, np.zeros(gan.latent_dim), grid=GRID)


def bare(target, given: dict[str, np.ndarray], steps: int, jitter: int):
    """The loop in TensorFlow; an inversion judges where it starts as well: `steps` + 1 times."""
    import tensorflow as tf

    from keras_filtergan.images.jitter import Jitter

    tensors = {key: tf.constant(value) for key, value in given.items()}
    shifted = Jitter(jitter) if jitter else lambda images, _: images

    def response(images, kernels):
        return target.activations(target.features(images), kernels)

    @tf.function
    def loop(start, kernels, wanted, middle):
        images = start
        for step in tf.range(steps + 1):
            if jitter:
                wanted = response(shifted(start, step), middle)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(images)
                error = tf.square(response(shifted(images, step), kernels) - wanted)
            images -= 1e-4 * tape.gradient(error, images)
        return images

    return lambda: loop(**tensors)


def bare_in_torch(torch, gan, given: dict[str, np.ndarray], steps: int, jitter: int):
    import torch_players

    target = torch_players.Target(gan.target)

    def first(name: str, *order: int):
        return torch.tensor(given[name]).permute(*order).contiguous()

    start, wanted = first("start", 0, 3, 1, 2), first("wanted", 0, 3, 1, 2)
    kernels, middle = first("kernels", 0, 4, 3, 1, 2), first("middle", 3, 2, 0, 1)
    target.conv.weight.data.copy_(middle)
    random = np.random.default_rng(0)

    def loop():
        images, goal = start.clone(), wanted
        for _ in range(steps + 1):
            shift = tuple(int(n) for n in random.integers(-jitter, jitter + 1, 2))
            images = images.detach().requires_grad_()
            seen = moved(torch, images, shift)
            if jitter:
                with torch.no_grad():
                    goal = target.activations(target.features(moved(torch, start, shift)))
            error = (target.activations(target.features(seen), kernels) - goal).square().sum()
            (gradient,) = torch.autograd.grad(error, images)
            images = images - 1e-4 * gradient
        return images

    return loop


def moved(torch, images, shift: tuple[int, int]):
    """Shifted down and right, black where nothing moved in."""
    down, right = shift
    return torch.nn.functional.pad(images, (right, -right, down, -down)) if any(shift) else images


def measure(options) -> dict:
    contest.use_threads(options.threads)
    torch = contest.torch_with(options.threads)
    gan, images, _ = made()
    given, steps = problem(gan, images), options.steps
    works = {}
    for jitter in (0, options.jitter):
        ours = walk(gan, images, steps, jitter), bare(gan.target, given, steps, jitter)
        torchs = [bare_in_torch(torch, gan, given, steps, jitter)] if torch else []
        works |= {
            f"{name}, jitter {jitter}": work
            for name, work in zip(NAMES, (*ours, *torchs), strict=False)
        }
    turns = {name: _a_step(contest.timed(work), steps) for name, work in works.items()}
    times = contest.contest(turns, options.rounds, warm_up=1)
    return {"machine": contest.machine(options.threads), "ms": times}


def _a_step(turn: contest.Turn, steps: int) -> contest.Turn:
    return lambda: turn() / (steps + 1)


def table(found: dict[str, dict]) -> contest.Table:
    """One row a contestant, beside the bare loops at the same jitter."""
    head = [""]
    for mode in found:
        name = contest.ONEDNN[mode]
        head += [f"ms a step {name}", f"/ bare {name}", f"/ torch {name}"]
    rows = []
    for name in next(iter(found.values()))["ms"]:
        jitter, cells = name.rsplit(", ", 1)[1], []
        for result in found.values():
            medians = {key: times[1] for key, times in result["ms"].items()}
            others = (medians.get(f"{other}, {jitter}") for other in NAMES[1:])
            cells.append(str(contest.Quartiles(*result["ms"][name])))
            cells += [contest.number(contest.ratio(medians[name], other)) for other in others]
        rows.append([name, *cells])
    count = f"{IMAGES * GRID**2} images a step"
    title = f"{IMAGES} images, grid {GRID} × {GRID}: {count}; oneDNN off, on"
    return contest.Table(title, head, rows)


def main() -> None:
    parser = contest.parser(__doc__, rounds=7)
    parser.add_argument("--steps", type=int, default=60, help="of the inversion; 60")
    parser.add_argument("--jitter", type=int, default=1, help="pixels; 1, as `visualize.py` has it")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    contest.has_torch()
    found = contest.in_modes(__file__, options.onednn)
    contest.report(options, [table(found)], found)


if __name__ == "__main__":
    main()
