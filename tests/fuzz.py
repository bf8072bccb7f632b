"""Feeds our parsers what atheris thinks of: `python tests/fuzz.py CORPUS [options of libFuzzer]`.

The first byte chooses the parser. Each may refuse in the ways that it promises, with one line; any
other exception, five seconds, or a gigabyte of memory ends the process with an error.
"""

import contextlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keras_filtergan.guards", "zipfile", "json"]):
    from keras_filtergan.guards import archives, memory, record_lines, records

import numpy as np

from keras_filtergan.errors import InputError
from keras_filtergan.files import LONGEST_NAME, file_name
from keras_filtergan.runs.run_directory import CARD, CONFIG

FOLDER = Path(tempfile.mkdtemp())


def record(data):
    refused(lambda: records.parse_record(data, CONFIG), ValueError)
    refused(lambda: records.parse_record(data, CARD), ValueError)
    refused(lambda: records.parse_record(data, [records.Each((int, None))]), ValueError)


def lines(data):
    path = written("lines.jsonl", data)
    refused(lambda: record_lines.read_lines(path, {"step": int}, "delete it"), InputError)


def arrays(data):
    path = written("arrays.npz", data)

    def read():
        with archives.refusing(lambda reason: f"it is damaged ({reason})"):
            assert archives.array_bytes(path, ("x_train", "y_train")) >= 0

    refused(read, InputError)


def network(data):
    path = written("network.keras", data)
    refused(lambda: archives.check_keras_file(path), InputError)


def network_of(data):
    """The same with a configuration in a whole archive, where chance seldom gets."""
    path = FOLDER / "whole.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", data)
        archive.writestr(archives.WEIGHTS, b"\0" * 1000)
    refused(lambda: archives.check_keras_file(path), InputError)


def size(data):
    refused(lambda: memory.parse_size(data.decode(errors="replace")), ValueError)


def name(data):
    spelled = file_name(data.decode(errors="surrogateescape"))
    assert spelled
    assert "/" not in spelled
    assert not spelled.startswith(".")
    assert len(spelled.encode(errors="surrogateescape")) <= LONGEST_NAME


PARSERS = (record, lines, arrays, network, network_of, size, name)


def refused(parse, *kinds):
    message = ""
    try:
        parse()
    except kinds as error:
        message = str(error)
    assert "\n" not in message, message


def written(name, data):
    path = FOLDER / name
    path.write_bytes(data)
    return path


def one_input(data):
    if data:
        PARSERS[data[0] % len(PARSERS)](data[1:])


def write_seeds(corpus):
    """Good inputs to begin with, for each parser."""
    settings = {"layer": 4, "seed": 0, "dataset": "d", "steps": 1, "batch_size": 2, "latent_dim": 2}
    config = {"settings": settings, "made_of": {"dataset": "abc", "classifier": None}}
    layer = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}}
    layer["build_config"] = {"input_shape": [None, 4]}
    np.savez_compressed(FOLDER / "seed.npz", x_train=np.zeros([2, 3, 3], "uint8"))
    network_of(b"{}")
    seeds = {
        record: json.dumps(config).encode(),
        lines: b'{"step": 1, "d_loss": 1.5}\n{"step": 2}\n',
        arrays: (FOLDER / "seed.npz").read_bytes(),
        network: (FOLDER / "whole.keras").read_bytes(),
        network_of: json.dumps({"config": {"layers": [layer]}}).encode(),
        size: b"1.5G",
        name: b"backbone/block 3",
    }
    for parser, data in seeds.items():
        number = PARSERS.index(parser)
        (corpus / parser.__name__).write_bytes(bytes([number]) + data)


if __name__ == "__main__":
    memory.limit_memory(2**30)
    with contextlib.suppress(IndexError):
        write_seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
