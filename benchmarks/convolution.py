"""One kernel set an example: the forms such a convolution can take, side by side.

    python benchmarks/convolution.py [--onednn both] [--jit] [--json docs/results/convolution.json]

Forward together with the gradient of the kernels, of the images, and of both, each in TensorFlow
with oneDNN off and on and in torch, which has oneDNN always; in milliseconds, medians and quartiles
of 30 turns. "The limit" is one kernel set for all images: what a step would cost without a set
each. Two libraries in one process: the pool of the one idles while the other works.
"""

import json
from typing import NamedTuple

import contest

OURS, LIMIT = "ours", "limit: one shared set"
TO = ("limit", "torch")
KINDS = {"kernels": (1,), "images": (0,), "both": (0, 1)}


class Shape(NamedTuple):
    """Images `(m, side, side, cin)`, each under kernels of its own `(taps, taps, ., cout)`."""

    m: int
    side: int
    cin: int
    cout: int
    taps: int = 3
    groups: int = 1

    def __str__(self) -> str:
        kind = " depthwise" if self.groups > 1 else ""
        layer = f"{self.side}×{self.side}×{self.cin}→{self.cout}"
        return f"{layer}, {self.taps}×{self.taps}{kind}, batch {self.m}"

    @property
    def gflop(self) -> float:
        """Of the forward pass and the gradient of the kernels, a multiply-add counted as two."""
        taps = self.taps**2 * self.cin // self.groups
        return self.m * self.side**2 * taps * self.cout * 2 * 2 / 1e9


SHAPES = (
    Shape(64, 28, 1, 16),
    Shape(64, 14, 16, 32),
    Shape(64, 7, 32, 32),
    Shape(64, 14, 64, 64),
    Shape(32, 32, 64, 64),
    Shape(64, 28, 1, 1, taps=5),
    Shape(64, 14, 96, 96, groups=96),
)


def grouped(images, kernels):
    """The batch folded into the channels; without oneDNN TensorFlow has no gradient of it."""
    import tensorflow as tf

    m, h, w, cin = images.shape
    kh, kw, depth, cout = kernels.shape[1:]
    images = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [1, h, w, m * cin])
    kernels = tf.reshape(tf.transpose(kernels, [1, 2, 3, 0, 4]), [kh, kw, depth, m * cout])
    maps = tf.reshape(tf.nn.conv2d(images, kernels, 1, "SAME"), [h, w, m, cout])
    return tf.transpose(maps, [2, 0, 1, 3])


def shared(images, kernels):
    """The kernel set of the first image for all."""
    import tensorflow as tf

    if kernels.shape[-2] < images.shape[-1]:
        depthwise = tf.transpose(kernels[0], [0, 1, 3, 2])
        return tf.nn.depthwise_conv2d(images, depthwise, [1] * 4, "SAME")
    return tf.nn.conv2d(images, kernels[0], 1, "SAME")


def vectorized_map(images, kernels):
    import tensorflow as tf

    return tf.vectorized_map(lambda one: shared(one[0][None], one[1][None])[0], (images, kernels))


def in_tensorflow(shape: Shape, jit: bool) -> dict:
    """Contestants: images and kernels → maps, and whether XLA compiles them."""
    from keras_filtergan import convolution

    images, kernels = _sizes(shape)
    usual = convolution.form_of(images, kernels)
    named = {f"{OURS} ({usual})": convolution.convolve}
    for form in convolution.FORMS:
        if form != usual:
            named[f"form {form!r}"] = _forced(convolution.convolve, form)
    compiled = {f"{name}, XLA": (way, True) for name, way in named.items()} if jit else {}
    named |= {LIMIT: shared, "grouped": grouped, "vectorized_map": vectorized_map}
    return {name: (way, False) for name, way in named.items()} | compiled


def _forced(convolve, form):
    return lambda images, kernels: convolve(images, kernels, form=form)


def _sizes(shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
    m, side, cin, cout, taps, groups = shape
    return (m, side, side, cin), (m, taps, taps, cin // groups, cout)


def tensorflow_turn(shape: Shape, way, compiled: bool, kind: str):
    """A turn of one contestant: maps, and their gradient for one that comes from behind."""
    import tensorflow as tf

    inputs = [tf.random.stateless_normal(size, [1, i]) for i, size in enumerate(_sizes(shape))]
    upstream = tf.random.stateless_normal([shape.m, shape.side, shape.side, shape.cout], [1, 2])
    chosen = KINDS[kind]

    @tf.function(jit_compile=compiled)
    def call(upstream, *inputs):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            wanted = [inputs[i] for i in chosen]
            tape.watch(wanted)
            maps = way(*inputs)
        return maps, tape.gradient(maps, wanted, upstream)

    return contest.timed(lambda: call(upstream, *inputs))


def torch_turns(torch, shape: Shape, kind: str) -> dict[str, contest.Turn]:
    """The same in torch's layout, channels first."""
    from torch.nn.functional import conv2d, unfold

    m, side, cin, cout, taps, groups = shape
    sizes = (m, cin, side, side), (m, cout, cin // groups, taps, taps)
    inputs = [torch.randn(size, requires_grad=i in KINDS[kind]) for i, size in enumerate(sizes)]
    upstream = torch.randn(m, cout, side, side)
    pad = taps // 2

    def folded(images, kernels):
        images, kernels = images.reshape(1, -1, side, side), kernels.flatten(0, 1)
        return conv2d(images, kernels, padding=pad, groups=m * groups).reshape(m, cout, side, side)

    def one(image, kernels):
        return conv2d(image[None], kernels, padding=pad, groups=groups)[0]

    def products(images, kernels):
        return torch.bmm(kernels.flatten(2), unfold(images, taps, padding=pad)).view_as(upstream)

    ways = {"torch grouped": folded, "torch vmap": torch.func.vmap(one)}
    if groups == 1:
        ways["torch unfold, products"] = products

    def turn(way):
        wanted = [inputs[i] for i in KINDS[kind]]
        return contest.timed(lambda: torch.autograd.grad(way(*inputs), wanted, upstream))

    return {name: turn(way) for name, way in ways.items()}


def turns_of(torch, shape: Shape, kind: str, jit: bool) -> dict[str, contest.Turn]:
    """All who can compute this, which is found out by letting them try."""
    turns = {
        name: tensorflow_turn(shape, way, compiled, kind)
        for name, (way, compiled) in in_tensorflow(shape, jit).items()
    }
    if torch is not None:
        turns |= torch_turns(torch, shape, kind)
    able = {}
    for name, turn in turns.items():
        try:
            turn()
        except Exception as error:  # whatever TensorFlow raises where it has no such kernel
            if "InputError" not in str(type(error)):  # a form that does not fit is no news
                contest.say(f"  without {name}: {contest.cause(error)}")
        else:
            able[name] = turn
    return able


def measure(options) -> dict:
    contest.use_threads(options.threads)
    torch = contest.torch_with(options.threads)
    rows = []
    for shape in _chosen(options):
        contest.say(f"oneDNN {contest.ONEDNN[options.measure]}: {shape}")
        times = {
            kind: contest.contest(turns_of(torch, shape, kind, options.jit), options.rounds)
            for kind in KINDS
        }
        rows.append({"shape": shape, "gflop": shape.gflop, "ms": times})
    return {"machine": contest.machine(options.threads), "rows": rows}


def _chosen(options) -> list[Shape]:
    return [SHAPES[i - 1] for i in options.shapes or range(1, len(SHAPES) + 1)]


def ratios(row: dict, kind: str) -> dict[str, float | None]:
    """What is to be reached: ours beside the limit, and beside torch at its best."""
    medians = {name: times[1] for name, times in row["ms"][kind].items() if "XLA" not in name}
    ours = contest.best(medians, OURS)
    return {
        "limit": contest.ratio(ours, contest.best(medians, LIMIT)),
        "torch": contest.ratio(ours, contest.best(medians, "torch")),
    }


def summary(found: dict[str, dict]) -> contest.Table:
    """One row a shape: what counts."""
    columns = [(kind, to, mode) for kind in ("kernels", "both") for to in TO for mode in found]
    names = [f"{kind}: {to} {contest.ONEDNN[mode]}" for kind, to, mode in columns]
    rows = []
    for i, row in enumerate(next(iter(found.values()))["rows"]):
        cells = [ratios(found[mode]["rows"][i], kind)[to] for kind, to, mode in columns]
        shape, gflop = str(Shape(*row["shape"])), f"{row['gflop']:.2f}"
        rows.append([shape, gflop, *map(contest.number, cells)])
    title = "Ours, times as long as the limit and as torch at its best, by gradient; oneDNN off, on"
    return contest.Table(title, ["shape", "GFLOP", *names], rows)


def details(found: dict[str, dict], i: int) -> contest.Table:
    """All contestants at one shape."""
    rows = {mode: result["rows"][i] for mode, result in found.items()}
    columns = [(kind, mode) for mode in found for kind in KINDS]
    head = [f"{kind} {contest.ONEDNN[mode]}" for kind, mode in columns]
    names = dict.fromkeys(n for row in rows.values() for ms in row["ms"].values() for n in ms)
    lines = []
    for name in names:
        times = [rows[mode]["ms"][kind].get(name) for kind, mode in columns]
        lines.append([name, *("–" if t is None else str(contest.Quartiles(*t)) for t in times)])
    one = next(iter(rows.values()))
    title = f"{Shape(*one['shape'])}: {one['gflop']:.2f} GFLOP, ms, oneDNN off and on"
    return contest.Table(title, ["forward and gradient of", *head], lines)


def main() -> None:
    parser = contest.parser(__doc__, rounds=30)
    parser.add_argument("--jit", action="store_true", help="ours compiled by XLA as well")
    parser.add_argument("--shapes", type=int, nargs="*", choices=range(1, len(SHAPES) + 1))
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options)))
        return
    contest.has_torch()
    found = contest.in_modes(__file__, options.onednn)
    count = len(next(iter(found.values()))["rows"])
    tables = [summary(found), *(details(found, i) for i in range(count))]
    contest.report(options, tables, found)


if __name__ == "__main__":
    main()
