"""Contestants that take turns: how the benchmarks of speed here measure, print and record.

A contestant is a name and a callable that does its work once and returns the milliseconds it took.
All of them have a turn in every round, each round beginning with the next one, so that other work
on the machine meets all alike; compare figures of one run only. `python benchmarks/convolution.py`
and its like measure in fresh processes, because TensorFlow reads `TF_ENABLE_ONEDNN_OPTS` once, and
with the package of the checkout that they stand in.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
ONEDNN = {"0": "off", "1": "on"}  # by the value of TF_ENABLE_ONEDNN_OPTS
NO_TORCH = 'no torch: its rows are left out; `pip install -e ".[bench]"` brings it'

Turn = Callable[[], float]


class Quartiles(NamedTuple):
    """Times of a contestant in milliseconds: a quarter of its turns took less than `low`."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, times: Sequence[float]) -> "Quartiles":
        return cls(*(float(q) for q in np.percentile(times, [25, 50, 75])))

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.low)}–{number(self.high)})"


class Table(NamedTuple):
    """What is printed: a title, the names of columns, and cells that are text already."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """Columns of equal width, the first one to the left."""
        lines = [self.head, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rows = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
        return "\n".join([self.title, rows[0], "-" * len(rows[0]), *rows[1:]])

    def markdown(self) -> str:
        """The same as a table of a Markdown file."""
        rule = ["---", *["---:"] * (len(self.head) - 1)]
        lines = [f"| {' | '.join(line)} |" for line in (self.head, rule, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines])


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if column else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def number(value: float | None) -> str:
    """Three figures: 0.123, 1.23, 12.3, 123, 1230; a dash for what does not exist."""
    if value is None:
        return "–"
    return f"{value:.{max(0, 2 - int(np.floor(np.log10(max(abs(value), 0.1)))))}f}"


def ratio(one: float | None, other: float | None) -> float | None:
    """How many times as long one takes as another; `None` where there is nothing to compare."""
    return None if one is None or not other else one / other


def best(medians: dict[str, float], start: str) -> float | None:
    """The shortest time of the contestants whose names begin like this."""
    return min((ms for name, ms in medians.items() if name.startswith(start)), default=None)


def timed(work: Callable[[], object], repeat: int = 1) -> Turn:
    """A turn: the work so many times, and the milliseconds of one of them.

    On a CPU neither TensorFlow's functions nor torch's return before their results are there.
    """

    def turn() -> float:
        begin = time.perf_counter()
        for _ in range(repeat):
            work()
        return 1000 * (time.perf_counter() - begin) / repeat

    return turn


def contest(turns: dict[str, Turn], rounds: int, warm_up: int = 2) -> dict[str, Quartiles]:
    """Let contestants take turns.

    Args:
        turns: name → what takes a turn.
        rounds: turns of each that count.
        warm_up: turns of each before, which trace, compile and allocate.
    """
    times: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(warm_up):
        for turn in turns.values():
            turn()
    names = list(turns)
    for first in range(rounds):
        for place in range(len(names)):
            name = names[(first + place) % len(names)]
            times[name].append(turns[name]())
    return {name: Quartiles.of(values) for name, values in times.items()}


def cause(error: Exception) -> str:
    """The line of an error from TensorFlow that says why; its first and last ones say where."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("[[", "File ", "Detected"))]
    return f"{type(error).__name__}: {told[-1][:90] if told else ''}"


def machine(threads: int) -> dict[str, Any]:
    """Whatever the times hang on: versions, processor, threads and oneDNN."""
    packages = ("tensorflow", "keras", "torch", "numpy")
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "threads": threads,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "not set"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
        "commit": commit(ROOT),
    }


def describe(machine: dict[str, Any]) -> str:
    """One line for people."""
    versions = ", ".join(f"{name} {v}" for name, v in machine["versions"].items() if v)
    return (
        f"{machine['cpu']}, {machine['threads']} threads of {machine['cores']} cores; Python "
        f"{machine['python']}, {versions}; commit {machine['commit']}"
    )


def commit(checkout: Path) -> str:
    """The commit of a checkout; a plus says that there were changes besides."""
    git = ["git", "-C", str(checkout)]
    try:
        name = subprocess.check_output([*git, "rev-parse", "--short", "HEAD"], text=True).strip()
        changed = subprocess.check_output([*git, "status", "--porcelain", "-uno"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name + "+" * bool(changed.strip())


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def use_threads(threads: int) -> None:
    """Give TensorFlow so many threads, before it computes."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.get_logger().setLevel("ERROR")  # that many functions are traced is no mistake here


def torch_with(threads: int) -> Any:
    """Torch with so many threads, or `None` where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    return torch


def parser(doc: str, rounds: int, onednn: str = "both") -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    made = argparse.ArgumentParser(description=doc.splitlines()[0])
    cores = os.cpu_count() or 1
    made.add_argument("--rounds", type=int, default=rounds, help=f"turns of each; {rounds}")
    made.add_argument("--threads", type=int, default=cores, help=f"of both libraries; {cores}")
    made.add_argument("--onednn", choices=["both", *ONEDNN], default=onednn, help="off, on or both")
    made.add_argument("--json", type=Path, metavar="FILE", help="write figures and tables here")
    made.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    made.add_argument("--measure", choices=list(ONEDNN), help=argparse.SUPPRESS)  # a fresh process
    return made


def modes(onednn: str) -> list[str]:
    """Values of `TF_ENABLE_ONEDNN_OPTS` that the option asks for."""
    return list(ONEDNN) if onednn == "both" else [onednn]


def environment(onednn: str, checkout: Path = ROOT) -> dict[str, str]:
    """Of a process that measures: oneDNN off ("0") or on, and which package it imports."""
    wanted = {"TF_ENABLE_ONEDNN_OPTS": onednn, "PYTHONPATH": str(checkout)}
    return {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, **wanted}


def in_modes(script: str, onednn: str) -> dict[str, dict[str, Any]]:
    """What a benchmark finds in a fresh process a mode, called as this one is.

    The process is told so by `--measure` and prints JSON as its last line.
    """
    found = {}
    for mode in modes(onednn):
        command = [sys.executable, script, *sys.argv[1:], "--measure", mode]
        done = subprocess.run(command, env=environment(mode), stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{Path(script).name} ended with code {done.returncode}; see above")
        found[mode] = json.loads(done.stdout.splitlines()[-1])
    return found


def has_torch() -> bool:
    """Whether torch is installed; if not, one line says how to bring it."""
    if _version("torch") is None:
        say(NO_TORCH)
    return _version("torch") is not None


def say(line: str) -> None:
    """What is no result goes to stderr."""
    print(line, file=sys.stderr, flush=True)


def command_line(arguments: Sequence[str]) -> str:
    """What was called, without where it lies on this machine: of an absolute path the last part."""
    shown = [Path(word).name if Path(word).is_absolute() else word for word in arguments]
    return " ".join(["python", *shown])


def report(options: argparse.Namespace, tables: list[Table], figures: Any) -> None:
    """Print what came out, and keep it where `--json` says."""
    here = machine(options.threads)
    print(describe(here))
    for table in tables:
        print("\n" + (table.markdown() if options.markdown else table.text()))
    if options.json:
        kept = {
            "machine": here,
            "command": command_line(sys.argv),
            "tables": [table._asdict() for table in tables],
            "figures": figures,
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
