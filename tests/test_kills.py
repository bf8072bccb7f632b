"""Runs that are killed at random moments end with every byte that the others have."""

import hashlib
import io
import json
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import pytest
from commands import write_npz
from patterns import make_dataset

from keras_filtergan.guards.hdf5 import arrays_of
from keras_filtergan.runs.run_directory import RunDirectory

SERVER = Path(__file__).parent / "kill_server.py"
TINY = ["--layer", "1", "--batch-size", "4", "--latent-dim", "2", "--method", "infogan"]


class Server:
    """Runs commands one after the other in fresh processes that have TensorFlow already."""

    def __init__(self, process):
        self.process = process

    def __call__(self, **job):
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="module")
def server():
    with subprocess.Popen([sys.executable, SERVER], stdin=-1, stdout=-1, text=True) as process:
        yield Server(process)
        process.stdin.close()


def content(path):
    """What a file holds, without the moment at which it was written, which HDF5 and zips keep."""
    data = path.read_bytes()
    if path.name == "report.html":
        return data.rstrip().endswith(b"</html>")  # it says where the run is and how long it took
    if path.suffix == ".h5":
        return arrays(data)
    if path.name == "checkpoint.json":
        return {k: v for k, v in json.loads(data).items() if k != "sha256"}
    if path.suffix != ".keras":
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        weights = arrays(archive.read("model.weights.h5"))
        return archive.read("config.json"), weights


def arrays(data):
    with h5py.File(io.BytesIO(data)) as file:
        return {path: array[()].tobytes() for path, array in arrays_of(file)}


def everything(root):
    """All that a run and its classifier leave, of the states only the last."""
    files = {path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
    steps = sorted(path for path in files if "step-" in str(path))
    last = steps[-1].parent
    return {
        str(name): content(path)
        for name, path in files.items()
        if name.name != "screen.txt" and (name not in steps or name.parent == last)
    }


def difference(one, other):
    """Names of the files that only one has, or that are not the same."""
    return sorted(set(one) ^ set(other)) + [k for k in one if k in other and one[k] != other[k]]


class Lives:
    """A command that is killed again and again, and begun again as its user would.

    Args:
        server: starts it.
        base: folder of the runs, one folder each.
        words: of the command without `--out` and `--resume`.
        more: for the server.
    """

    def __init__(self, server, base, words, **more):
        self.server, self.base, self.words, self.more = server, base, words, more
        self.number, self.killed = 0, 0
        self.whole = None

    @property
    def root(self):
        return self.base / str(self.number)

    def start(self, **job):
        self.root.mkdir(exist_ok=True)
        run = RunDirectory(self.root / "run")
        resume = ["--resume"] if run.config.exists() and not run.is_complete else []
        words = ["train", *self.words, "--out", str(run.path), *resume]
        return self.server(words=words, root=str(self.root), **self.more, **job)

    def reference(self):
        """Once from start to end; how many file operations it took."""
        answer = self.start()
        assert answer["status"] == 0, (self.root / "screen.txt").read_text()
        self.whole = everything(self.root)
        self.number += 1
        return answer["operations"]

    def end(self):
        """To the end, which must be that of the reference."""
        answer = self.start()
        assert answer["status"] == 0, (self.root / "screen.txt").read_text()
        assert difference(everything(self.root), self.whole) == [], self.root
        self.number += 1

    def die(self, signum, at):
        """Once until a file operation; `False` if it was finished before."""
        answer = self.start(at=at, signal=signum)
        if answer["status"] == 0:
            assert difference(everything(self.root), self.whole) == [], self.root
            self.number += 1
            return False
        expected = -signum if signum == signal.SIGKILL else 128 + signum
        assert answer["status"] == expected, (self.root / "screen.txt").read_text()
        self.killed += 1
        return True


def kill_at_random(lives, signals, seed):
    operations = lives.reference()
    draw = random.Random(seed)
    left = list(signals)
    draw.shuffle(left)
    while left:
        begun = lives.root.exists()  # less is left to do than at the start
        if lives.die(left[-1], draw.randint(1, operations // 3 if begun else operations)):
            left.pop()
    lives.end()
    assert lives.killed == len(signals)


@pytest.fixture
def npz(tmp_path):
    return write_npz(tmp_path, make_dataset(train=12, test=9))


def test_nine_deaths_of_a_tiny_run(server, tmp_path, npz):
    words = ["--dataset", npz, "--steps", "3", *TINY]
    lives = Lives(server, tmp_path, words, small=True)
    kill_at_random(lives, 3 * [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_thirty_deaths_of_a_run(server, tmp_path, seed):
    """All of it: classifier, steps, states, card and pictures, as users have them; six a seed."""
    npz = write_npz(tmp_path, make_dataset())
    words = ["--dataset", npz, "--steps", "130", "--batch-size", "16", "--latent-dim", "2"]
    signals = [*4 * [signal.SIGKILL], signal.SIGTERM, signal.SIGINT]
    kill_at_random(Lives(server, tmp_path, words), signals, seed)


@pytest.mark.slow
def test_ten_deaths_of_an_augmented_set(server, tmp_path):
    npz = write_npz(tmp_path, make_dataset())
    words = ["--dataset", npz, "--steps", "20", "--batch-size", "16", "--latent-dim", "2"]
    lives = Lives(server, tmp_path, words)
    lives.reference()
    run = str(tmp_path / "0" / "run")

    def augment(name, **job):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        more = ["--run", run, "--out", str(root / "set"), "--images", "30", "--steps", "5"]
        return server(words=["augment", *more], root=str(root), **job)

    def hashes(name):
        files = sorted(path for path in (tmp_path / name / "set").rglob("*") if path.is_file())
        return [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]

    operations = augment("whole")["operations"]
    draw, number = random.Random(3), 0
    left = 4 * [signal.SIGKILL] + 3 * [signal.SIGTERM, signal.SIGINT]
    while left:
        name, signum = f"killed {number}", left[-1]
        answer = augment(name, at=draw.randint(1, operations // 2), signal=signum)
        if answer["status"] == 0:  # finished before
            assert hashes(name) == hashes("whole")
            number += 1
            continue
        assert answer["status"] == (-signum if signum == signal.SIGKILL else 128 + signum)
        left.pop()
    assert augment(name)["status"] == 0
    assert hashes(name) == hashes("whole")
    assert not (tmp_path / name / "set.partial").exists()
