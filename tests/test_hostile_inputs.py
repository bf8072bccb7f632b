"""Broken and hostile inputs to every reader: exit code 2, one line, soon, and nothing else happens.

Each comes with a control: what an unguarded reader makes of the same input. It raises something
else than one line of ours, runs code, reads from what never ends, or is asked for more memory than
the limit. So no input is in the table that was harmless from the start.
"""

import dataclasses
import io
import itertools
import json
import math
import os
import resource
import stat
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from commands import one_line

from keras_filtergan.augmentation.augmented_dataset import AugmentedDataset
from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.cli.command import guarded
from keras_filtergan.data import ImageDataset, load_dataset
from keras_filtergan.data.tfds_writer import write_tfds_directory
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.saved_generator import load_generator
from keras_filtergan.guards.archives import _weights, check_keras_file
from keras_filtergan.guards.memory import limit_memory
from keras_filtergan.runs.run_directory import RunDirectory, open_run
from keras_filtergan.runs.settings import Settings

LIMIT = 2**30  # bytes of memory
SECONDS = 5
MARK = "executed"  # the file that a payload writes
SETTINGS = {"layer": 4, "seed": 0, "dataset": "d", "steps": 1, "batch_size": 2, "latent_dim": 2}
CONFIG = {"settings": SETTINGS, "made_of": {"dataset": "abc", "classifier": None}}
MADE_OF = {"seed": 0}


@pytest.fixture(autouse=True)
def memory():
    limit_memory(LIMIT)
    yield
    limit_memory(None)


@dataclasses.dataclass(frozen=True)
class Case:
    """An input: how it is made, who reads it, and what shows that it is not harmless."""

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path], object]
    control: Callable[[Path], object]


# ---------------------------------------------------------------------------------------- JSON


def text(content):
    return lambda path: path.write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )


def sparse(size):
    def make(path):
        with open(path, "wb") as file:
            file.truncate(size)

    return make


NO_FILES = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a folder": Path.mkdir,
}
NO_JSON = {
    "a list": text("[1, 2]"),
    "null": text("null"),
    "a number": text("7"),
    "not UTF-8": text(b'{"settings": "\xff"}'),
    "a thousand brackets": text("[" * 100_000),
    "a thousand braces": text('{"settings":' * 100_000),
    "a number of 5,000 digits": text('{"settings": {"layer": ' + "9" * 5000 + "}}"),
    "broken off": text('{"settings": {"lay'),
    "empty": text(""),
    "a gigabyte": sparse(2**30),
    **NO_FILES,
}


def never_ends(path):
    """Whether an unguarded reader would wait for ever, or fill the memory."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    return not stat.S_ISREG(status.st_mode) or status.st_size >= 2**28


def breaks(naive):
    """A control: what reads naively never ends, or raises an error that is not ours."""

    def control(path):
        if never_ends(path):
            return True
        try:
            naive(path)
        except InputError:
            return False
        except Exception:
            return True
        return False

    return control


def run_with(name, make):
    """A finished run of which one file is something else."""

    def at(folder):
        (folder / "config.json").write_text(json.dumps(CONFIG))
        (folder / "evaluation.json").write_text('{"taken_over": {}}')
        for file in ("generator.keras", "classifier.keras"):
            (folder / file).write_bytes(b"")
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return at


def read_config(folder):
    run = RunDirectory(folder)
    return Settings.from_dict(run.read_config()["settings"])


def naive_config(folder):
    config = json.loads((folder / "config.json").read_text())
    settings = config["settings"]
    assert f"{settings['layer']} {settings['seed']:d} {config['made_of']['dataset'].upper()}"
    assert settings["latent_dim"] * np.ones(1) < 2**31
    assert len(Path(settings["dataset"]).name)
    assert settings["steps"] + settings["batch_size"]
    assert {settings.get("method", "natural")} <= {"natural", "infogan"}
    low, high = settings.get("pixel_range") or (0, 1)
    assert high - low


def with_settings(**changes):
    settings = {k: v for k, v in {**SETTINGS, **changes}.items() if v is not ...}
    return text(json.dumps({**CONFIG, "settings": settings}))


def at(name, control):
    return lambda folder: control(folder / name) or control(folder)


def jsons():
    for what, make in NO_JSON.items():
        yield Case(
            f"config.json: {what}",
            run_with("config.json", make),
            read_config,
            lambda folder: never_ends(folder / "config.json") or breaks(naive_config)(folder),
        )
        yield Case(
            f"evaluation.json: {what}",
            run_with("evaluation.json", make),
            lambda folder: RunDirectory(folder).read_evaluation(),
            lambda folder: (
                never_ends(folder / "evaluation.json")
                or breaks(
                    lambda f: dict(json.loads((f / "evaluation.json").read_text())["taken_over"])
                )(folder)
            ),
        )
        yield Case(
            f"augmentation.json: {what}",
            run_with("augmentation.json", make),
            lambda folder: AugmentedDataset(folder, MADE_OF).check(),
            lambda folder: (
                never_ends(folder / "augmentation.json")
                or breaks(
                    lambda f: dict(json.loads((f / "augmentation.json").read_text())["made_of"])
                )(folder)
            ),
        )
    changes = {
        "no settings": text('{"made_of": {"dataset": "a"}}'),
        "settings in a list": text('{"settings": [], "made_of": {"dataset": "a"}}'),
        "no fingerprints": text(json.dumps({"settings": SETTINGS})),
        "no layer": with_settings(layer=...),
        "no data set": with_settings(dataset=...),
        "no steps": with_settings(steps=...),
        "layer in a list": with_settings(layer=[4]),
        "seed as a text": with_settings(seed="0"),
        "data set as a number": with_settings(dataset=5),
        "method as a list": with_settings(method=["natural"]),
        "latent of 30 digits": with_settings(latent_dim=10**30),
        "pixel range as a word": with_settings(pixel_range="wide"),
        "pixel range of one": with_settings(pixel_range=[1]),
    }
    for what, make in changes.items():
        yield Case(
            f"config.json: {what}",
            run_with("config.json", make),
            read_config,
            breaks(naive_config),
        )


def histories():
    for what, content in {
        "null in the middle": 'null\n{"step": 2}\n',
        "a line without a step": '{"d_loss": 1}\n{"step": 2}\n',
        "a step as a text": '{"step": "1"}\n{"step": 2}\n',
        "a loss in a list": '{"step": 1, "d_loss": []}\n{"step": 2}\n',
        "brackets": "[" * 100_000 + '\n{"step": 2}\n',
    }.items():
        yield Case(
            f"history.jsonl: {what}",
            run_with("history.jsonl", text(content)),
            lambda folder: RunDirectory(folder).read_history(),
            breaks(
                lambda folder: [
                    f"{one['step']:d} {one.get('d_loss', 0):.3f}"
                    for one in map(json.loads, (folder / "history.jsonl").read_text().splitlines())
                ]
            ),
        )


# ----------------------------------------------------------------------------------------- .npz


def named(name, make):
    return lambda folder: make(folder / name)


def arrays(**changes):
    rng = np.random.default_rng(0)
    good = {
        "x_train": rng.integers(0, 255, (8, 12, 12, 1), "uint8"),
        "y_train": np.arange(8) % 2,
        "x_test": rng.integers(0, 255, (4, 12, 12, 1), "uint8"),
        "y_test": np.arange(4) % 2,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def npz(**changes):
    return lambda folder: np.savez(folder / "set.npz", **arrays(**changes))


def repacked(compression):
    def make(folder):
        npz()(folder)
        with zipfile.ZipFile(folder / "set.npz") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(folder / "set.npz", "w", compression) as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    return make


def patched(offset_of, change):
    """The archive with bytes of its headers changed: those of each member, here and in the list."""

    def make(folder):
        npz()(folder)
        content = bytearray((folder / "set.npz").read_bytes())
        for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            place = content.find(signature)
            while place >= 0:
                start = place + offset + offset_of
                content[start : start + 2] = struct.pack("<H", change)
                place = content.find(signature, place + 4)
        (folder / "set.npz").write_bytes(content)

    return make


def header(descr, shape):
    """A member of which there is a header and nothing else."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}"
    padded = text + " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode()


def claiming(descr, shape, name="x_train"):
    def make(folder):
        with zipfile.ZipFile(folder / "set.npz", "w") as archive:
            for member, value in arrays().items():
                file = io.BytesIO()
                np.save(file, value)
                content = header(descr, shape) if member == name else file.getvalue()
                archive.writestr(f"{member}.npy", content)

    return make


def one_array(folder):
    with open(folder / "set.npz", "wb") as file:
        np.save(file, np.ones(3))


def bomb(folder):
    """Three megabytes that are three gigabytes of zeros."""
    size = 3 * 2**30
    path = folder / "set.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, value in arrays().items():
            if member == "x_train":
                continue
            file = io.BytesIO()
            np.save(file, value)
            archive.writestr(f"{member}.npy", file.getvalue())
        # One block, compressed once and repeated: it is the sum that has to be right, not the data.
        archive.writestr("x_train.npy", header("|u1", (size // 144, 12, 12, 1)) + bytes(2**20))


class Payload:
    """Pickled, it writes a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


def pickled(folder):
    holding = np.array([Payload(folder.parent / MARK)], dtype=object)
    np.savez(folder / "set.npz", **arrays(x_train=holding))


def read_set(folder):
    return load_dataset(folder / "set.npz")


def naive_npz(folder):
    with np.load(folder / "set.npz") as file:
        held = {name: file[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    one, two = held["x_train"], held["x_test"]
    assert one.shape[1:] == two.shape[1:]
    assert one.dtype == two.dtype == "uint8"
    assert held["y_train"].dtype.kind == "i"
    assert held["y_train"].min() >= 0
    assert held["y_train"].shape == one.shape[:1]
    assert held["y_train"].max() < 10


def naive_pickle(folder):
    with np.load(folder / "set.npz", allow_pickle=True) as file:
        assert file["x_train"] is not None
    return mark(folder).exists()


def asks_too_much(folder):
    with zipfile.ZipFile(folder / "set.npz") as archive, archive.open("x_train.npy") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return np.prod([float(side) for side in shape]) * dtype.itemsize > LIMIT


def npzs():
    broken = {
        "no archive": lambda folder: text("hello")(folder / "set.npz"),
        "cut off": lambda folder: (
            npz()(folder),
            os.truncate(folder / "set.npz", 500),
        ),
        "one array": one_array,
        "an array missing": npz(y_test=None),
        "encrypted": patched(0, 1),
        "an odd compression": patched(2, 97),
        "LZMA, of which nothing is right": patched(2, zipfile.ZIP_LZMA),
        "labels of text": npz(y_train=np.array(["a"] * 8)),
        "labels below zero": npz(y_train=-np.ones(8, int)),
        "a label of a million": npz(y_train=np.full(8, 10**6)),
        "pixels of text": npz(x_train=np.array(["a"] * 8)),
        "other sizes in the test": npz(x_test=np.zeros((4, 9, 9, 1), "uint8")),
        "a header that is code": claiming("__import__('os')", (1,)),
        **{what: named("set.npz", make) for what, make in NO_FILES.items() if what != "a folder"},
    }
    for what, make in broken.items():
        control = breaks(naive_npz)
        yield Case(
            f".npz: {what}",
            make,
            read_set,
            lambda folder, control=control: never_ends(folder / "set.npz") or control(folder),
        )
    yield Case(".npz: pickled code", pickled, read_set, naive_pickle)
    for what, make in {
        "a terabyte in a header": claiming("|u1", (10**12, 1, 1, 1)),
        "a side of 10^30": claiming("|u1", (10**30, 1, 1, 1)),
        "texts of a gigabyte": claiming("<U500000000", (2,), "x_train"),
        "three gigabytes": bomb,
    }.items():
        yield Case(f".npz: {what}", make, read_set, asks_too_much)


# -------------------------------------------------------------------------------------- folders


def png(width, height, rows=None):
    """A grey picture; all rows are zeros unless some are given."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(height * (width + 1)) if rows is None else rows)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def images(make):
    def at(folder):
        for name in ("one", "two"):
            (folder / name).mkdir()
            for i in range(3):
                (folder / name / f"{i}.png").write_bytes(png(12, 12))
        make(folder)

    return at


def naive_images(folder):
    from PIL import Image

    for path in sorted(folder.glob("*/*.png")):
        if never_ends(path):
            raise OSError
        with Image.open(path) as picture:
            if 4 * picture.size[0] * picture.size[1] > LIMIT:
                raise MemoryError
            picture.load()
            assert picture.mode in ("L", "RGB")
            assert picture.size == (12, 12)
    for path in folder.iterdir():
        assert os.path.isdir(path)


def folders():
    def image(make):
        return lambda folder: ((folder / "one" / "1.png").unlink(), make(folder / "one" / "1.png"))

    for what, make in {
        **{name: image(make) for name, make in NO_FILES.items()},
        "an image of text": image(text("hello")),
        "an image broken off": image(text(png(12, 12)[:60])),
        "an image of a gigabyte": image(sparse(2**30)),
        "a small image that unpacks to 900 MB": image(text(png(30_000, 30_000, b""))),
        "an image of another size": image(text(png(13, 12))),
        "a class that is a link to itself": lambda folder: (folder / "three").symlink_to("three"),
    }.items():
        yield Case(f"folder: {what}", images(make), load_dataset, breaks(naive_images))


# ------------------------------------------------------------------------------ TFDS folders


def prepared(folder):
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(12, 12, 1), dtype=np.uint8),
            "label": tfds.features.ClassLabel(names=["a", "b"]),
        }
    )
    images = np.random.default_rng(0).integers(0, 255, (6, 12, 12, 1), "uint8")
    examples = [{"image": image, "label": i % 2} for i, image in enumerate(images)]
    write_tfds_directory(folder, "dots", features, {"train": examples, "test": examples[:2]})


def naming(name, *way):
    def make(folder):
        held = json.loads((folder / "features.json").read_text())
        inner = held
        for step in way:
            inner = inner[step]
        if "content" in name:
            inner |= {"type": name["type"], "content": {}}
            inner.pop("pythonClassName", None)
        else:
            inner |= name
        (folder / "features.json").write_text(json.dumps(held))
        (folder.parent / "payload.py").write_text(
            f"from pathlib import Path\nPath({str(mark(folder))!r}).touch()\n"
        )

    return make


def imports(folder):
    """What TFDS does with a folder that names a class which it does not know."""
    import tensorflow_datasets as tfds

    sys.path.insert(0, str(folder.parent))
    try:
        tfds.features.FeatureConnector.from_config(str(folder))
    except (ValueError, KeyError):
        pass
    finally:
        sys.path.remove(str(folder.parent))
        sys.modules.pop("payload", None)
    return mark(folder).exists()


def tfds_folders():
    def at(make):
        return lambda folder: (prepared(folder), make(folder))

    def replaced(name, make):
        return at(lambda folder: ((folder / name).unlink(), make(folder / name)))

    way = "featuresDict", "features", "image"
    for what, make in {
        "a module to import": naming({"pythonClassName": "payload.Image"}),
        "a module to import inside": naming({"pythonClassName": "payload.Image"}, *way),
        "a module by its other spelling": naming({"python_class_name": "payload.Image"}, *way),
        "a module as of old": naming({"type": "payload.Image", "content": {}}),
    }.items():
        yield Case(f"TFDS: {what}", at(make), load_dataset, imports)
    shard = "dots-train.tfrecord-00000-of-00001"
    for what, (name, make) in {
        "records that are a pipe": (shard, NO_FILES["a pipe"]),
        "records that never end": (shard, NO_FILES["a device"]),
        "features that are a pipe": ("features.json", NO_FILES["a pipe"]),
        "features nested too deeply": ("features.json", NO_JSON["a thousand braces"]),
        "features in a list": ("features.json", NO_JSON["a list"]),
        "information that is a pipe": ("dataset_info.json", NO_FILES["a pipe"]),
        "information broken off": ("dataset_info.json", NO_JSON["broken off"]),
        "records of text": (shard, text("hello" * 100)),
    }.items():
        yield Case(
            f"TFDS: {what}",
            replaced(name, make),
            load_dataset,
            lambda folder, name=name: never_ends(folder / name) or breaks(naive_tfds)(folder),
        )


def naive_tfds(folder):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    assert len(list(tfds.as_numpy(builder.as_dataset(split="train")))) == 6


# -------------------------------------------------------------------------------------- .keras


def network(change):
    """A saved network with its configuration changed."""

    def make(folder):
        image = keras.Input((12, 12, 1), name="image")
        x = keras.layers.Conv2D(2, 3, name="conv")(image)
        scores = keras.layers.Dense(2, name="scores")(keras.layers.Flatten()(x))
        keras.Model(image, scores).save(folder / "network.keras")
        with zipfile.ZipFile(folder / "network.keras") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        config = json.loads(members["config.json"])
        layers = {layer["name"]: layer for layer in config["config"]["layers"]}
        with zipfile.ZipFile(folder / "network.keras", "w", zipfile.ZIP_DEFLATED) as archive:
            change(config, layers, members, folder)
            members.setdefault("config.json", b"")
            if members["config.json"] == b"config":
                members["config.json"] = json.dumps(config).encode()
            for name, data in members.items():
                archive.writestr(name, data)

    return make


def wide(**changes):
    def change(config, layers, members, folder):
        layers["scores"]["config"] |= changes
        members["config.json"] = b"config"

    return change


def member(name, content):
    def change(config, layers, members, folder):
        members[name] = content

    return change


def calling(module, name):
    def change(config, layers, members, folder):
        layers["scores"]["config"]["activation"] = {
            "module": module,
            "class_name": "function",
            "config": name,
            "registered_name": "function",
        }
        members["config.json"] = b"config"

    return change


def read_network(folder):
    return load_classifier(folder / "network.keras")


def claims_too_much(folder):
    """What Keras would ask for: the kernel of the layer as its configuration has it."""
    with zipfile.ZipFile(folder / "network.keras") as archive:
        config = json.loads(archive.read("config.json"))
    held = {layer["name"]: layer for layer in config["config"]["layers"]}
    dense, conv = held["scores"], held["conv"]["config"]
    inputs = dense["build_config"]["input_shape"][-1]
    return 4 * max(dense["config"]["units"] * inputs, conv["filters"] * 9) > LIMIT


def counts_too_much(folder):
    """The same of any layer: the numbers in its configuration multiply to more than the limit."""
    with zipfile.ZipFile(folder / "network.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]

    def product(value):
        parts = value if isinstance(value, list) else value.values()
        whole = [product(x) if isinstance(x, list) else x for x in parts]
        return math.prod(x for x in whole if type(x) is int and x > 0)

    return max(4 * product(layer["config"]) for layer in layers) > LIMIT


def loads_badly(folder):
    try:
        keras.models.load_model(folder / "network.keras", compile=False)
    except InputError:
        return False
    except Exception:
        return True
    return False


def networks():
    def big(config, layers, members, folder):
        layers["conv"]["config"]["filters"] = 2**30
        members["config.json"] = b"config"

    for what, change in {
        "a layer of 30 million units": wide(units=30_000_000),
        "a layer of 10^30 units": wide(units=10**30),
        "a convolution of 2^30 channels": big,
    }.items():
        yield Case(f".keras: {what}", network(change), read_network, claims_too_much)

    def attentive(config, layers, members, folder):
        layers["scores"]["class_name"] = "MultiHeadAttention"
        layers["scores"]["config"] = {"name": "scores", "num_heads": 2**15, "key_dim": 2**15}
        members["config.json"] = b"config"

    def deep(config, layers, members, folder):
        layers["conv"]["class_name"] = "DepthwiseConv2D"
        del layers["conv"]["config"]["filters"]
        layers["conv"]["config"]["depth_multiplier"] = 2**30
        members["config.json"] = b"config"

    def vast(config, layers, members, folder):
        layers["image"]["config"]["batch_shape"] = [None, 2**20, 2**20, 1]
        members["config.json"] = b"config"

    for what, change in {"many heads": attentive, "deep": deep, "a vast image": vast}.items():
        yield Case(f".keras: {what}", network(change), read_network, counts_too_much)
    for what, change in {
        "a function of another module": calling("os", "system"),
        "no configuration": member("config.json", b"{}"),
        "a configuration in a list": member("config.json", b"[]"),
        "a configuration nested too deeply": member("config.json", b"[" * 100_000),
        "a configuration not in UTF-8": member("config.json", b"\xff"),
        "weights that are no HDF5": member("model.weights.h5", b"hello" * 100_000),
        "units as a text": wide(units="many"),
        "units below zero": wide(units=-3),
    }.items():
        yield Case(f".keras: {what}", network(change), read_network, loads_badly)
    for what, make in {
        "no archive": text("hello"),
        "empty": text(""),
        "a pipe": os.mkfifo,
        "a device": NO_FILES["a device"],
        "a link to itself": NO_FILES["a link to itself"],
        "a folder": Path.mkdir,
    }.items():
        for name, read in (("network", read_network), ("generator", read_generator)):
            yield Case(
                f".keras {name}: {what}",
                lambda folder, name=name, make=make: make(folder / f"{name}.keras"),
                read,
                lambda folder, name=name: breaks(
                    lambda path: keras.models.load_model(path, compile=False)
                )(folder / f"{name}.keras"),
            )
    yield Case("run: a generator that is a network", generator_of_network, read_generator, bool)
    yield Case("run: there is none", lambda folder: None, open_run, lambda folder: True)


def generator_of_network(folder):
    network(lambda *_: None)(folder)
    os.rename(folder / "network.keras", folder / "generator.keras")


def read_generator(folder):
    return load_generator(folder / "generator.keras")


# --------------------------------------------------------------------------------------- the test


def mark(folder):
    return folder.parent / MARK


def everything(folder):
    """Names below a folder, with what is in those that can be read."""
    return {
        path: path.read_bytes() if path.is_file() and path.stat().st_size < 2**24 else None
        for path in folder.rglob("*")
        if not path.is_fifo()
    }


CASES = list(itertools.chain(jsons(), histories(), npzs(), folders(), tfds_folders(), networks()))


def test_the_table_is_long_enough():
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hostile(case, tmp_path, capsys):
    folder = tmp_path / "input"
    folder.mkdir()
    case.make(folder)
    before = everything(tmp_path)
    start, peak = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert guarded(lambda: bool(case.read(folder)), debug=False) == 2
    line = one_line(capsys)
    assert line.startswith("error: ")
    assert len(line) < 1000
    assert time.monotonic() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < LIMIT / 1024
    assert everything(tmp_path) == before
    assert not mark(folder).exists()
    assert case.control(folder), "harmless: an unguarded reader takes it as well"


def test_good_inputs_are_read(tmp_path):
    """The same readers take what is not hostile: no refusal above is for want of a good file."""
    for name, make, read, kind in (
        ("run", run_with("history.jsonl", text('{"step": 1}\n')), read_config, Settings),
        ("set", npz(), read_set, ImageDataset),
        ("bzip", repacked(zipfile.ZIP_DEFLATED), read_set, ImageDataset),
        ("images", images(lambda folder: None), load_dataset, ImageDataset),
        ("tfds", prepared, load_dataset, ImageDataset),
        ("network", network(lambda *_: None), read_network, keras.Model),
    ):
        folder = tmp_path / name
        folder.mkdir()
        make(folder)
        assert isinstance(read(folder), kind)
    generator = FilterGenerator((3, 3, 1, 2), latent_dim=2, width=4)
    generator.build((None, 2))
    generator.save(tmp_path / "generator.keras")
    assert read_generator(tmp_path).latent_dim == 2


def test_wide_layers_that_are_in_the_file_are_read(tmp_path):
    """What is claimed is never more than what is there, of each kind of layer that is counted."""
    image = keras.Input((6, 6, 32), name="image")
    x = keras.layers.SeparableConv2D(64, 3, depth_multiplier=2)(image)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = keras.layers.Conv2D(64, 2, groups=4)(x)
    x = keras.layers.Reshape((1, 64))(x)
    x = keras.layers.MultiHeadAttention(3, 5, value_dim=7)(x, x)
    x = keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 16))(x)
    x = keras.layers.LSTM(8)(x)
    model = keras.Model(image, keras.layers.Dense(2)(x))
    model.save(tmp_path / "network.keras")
    check_keras_file(tmp_path / "network.keras")
    with zipfile.ZipFile(tmp_path / "network.keras") as archive:
        claimed = sum(_weights(json.loads(archive.read("config.json"))))
    assert 0.5 * model.count_params() <= claimed <= model.count_params()
