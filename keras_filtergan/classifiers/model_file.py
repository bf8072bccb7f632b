"""Files that people give for a classifier: which can be loaded, and what makes the others so."""

import json
import os
import re
import shlex
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from keras_filtergan.errors import InputError
from keras_filtergan.guards.archives import check_keras_file
from keras_filtergan.guards.reading import reason_of

HDF5, GIT_LFS = b"\x89HDF\r\n\x1a\n", b"version https://git-lfs"
_UNKNOWN = re.compile(r"Could not locate (?:class|function) '([^']+)'")


def load_model_file(path: Path) -> Any:
    """What is in a `.keras` file, loaded without running code that it may hold.

    Args:
        path: also with `~`, and with its suffix in upper case.

    Raises:
        InputError: no such file, a file of another kind, one that needs code, or one that claims
            more than it holds; the message says how to get one that can be loaded.

    Example:
        >>> classifier.save("mine.keras")
        >>> load_model_file(Path("mine.keras")).name
        'classifier'
    """
    path = Path(os.path.expanduser(path))
    _check_kind(path)
    check_keras_file(path)
    try:
        if path.suffix == ".keras":
            return keras.models.load_model(path, compile=False, safe_mode=True)
        with tempfile.TemporaryDirectory() as folder:  # Keras goes by the name
            copy = shutil.copyfile(path, Path(folder) / "model.keras")
            return keras.models.load_model(copy, compile=False, safe_mode=True)
    except InputError:
        raise
    except Exception as error:  # Keras raises almost anything for a damaged or foreign file
        raise InputError(_explained(path, error)) from None


def _check_kind(path: Path) -> None:
    """Refuse what is no `.keras` file, with what makes one of it."""
    shown, model = str(path), path.with_suffix(".keras").name
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            raise InputError(
                f"expected a .keras file, {shown!r} is a SavedModel, which Keras 3 cannot load; "
                f"where its network was made, save it anew: model.save({model!r})"
            )
        raise InputError(f"expected a .keras file, {shown!r} is a folder; give a file in it")
    if not path.is_file():
        raise InputError(f"expected a .keras file, there is none at {shown!r}")
    with path.open("rb") as file:
        start = file.read(len(GIT_LFS))
    if start == GIT_LFS:
        raise InputError(
            f"expected a .keras file, {shown!r} is a git-lfs pointer, not the file itself; fetch "
            f"it: git lfs pull --include {shlex.quote(path.name)}"
        )
    if start.startswith(HDF5):
        raise InputError(_of_hdf5(path))
    if path.suffix.lower() != ".keras":
        raise InputError(
            f"expected a file that ends in .keras, received {path.name!r}; "
            f"save the network with model.save({model!r})"
        )


def _of_hdf5(path: Path) -> str:
    """What to do with a file in HDF5, whatever it is called."""
    import h5py

    try:
        with h5py.File(path) as file:
            holds_network = "model_config" in file.attrs
    except Exception:  # of a damaged file h5py raises almost anything
        return f"expected a .keras file, {str(path)!r} is damaged HDF5; copy or save it again"
    stem = path.name.removesuffix(".weights.h5").removesuffix(path.suffix)
    if not holds_network:
        return (
            f"expected a .keras file, {str(path)!r} holds weights without a network; where the "
            f"network is made: model.load_weights({path.name!r}); model.save('{stem}.keras')"
        )
    source, made = str(path), str(path.with_name(f"{stem}.keras"))
    first = ""
    if path.suffix.lower() not in (".h5", ".hdf5"):
        source, made = str(path.with_suffix(".h5")), source
        first = f"mv {shlex.quote(str(path))} {shlex.quote(source)} && "
    code = f"import keras; keras.models.load_model({source!r}, compile=False).save({made!r})"
    return (
        f"expected a .keras file, {str(path)!r} is a whole model in HDF5; convert it, if you trust "
        f"it: {first}python -c {shlex.quote(code)}"
    )


def _explained(path: Path, error: Exception) -> str:
    """Why a `.keras` file cannot be loaded, and what to do."""
    shown = repr(str(path))
    unknown = _UNKNOWN.search(str(error))
    if unknown:
        return (
            f"{shown} needs {unknown[1]!r}, which Keras does not know here; import the module that "
            "defines it with @keras.saving.register_keras_serializable(), by --import MODULE in a "
            "command"
        )
    lambdas = [name for kind, name in _parts(path) if kind == "Lambda"]
    if lambdas and "Lambda" in str(error):
        return (
            f"{shown} holds code, which is never run: Lambda {', '.join(lambdas)}; put a layer in "
            "its place (Rescaling, Activation, Reshape, …, or a class of your own with --import "
            "MODULE) and save it anew"
        )
    return f"{shown} is no Keras model that can be loaded: {reason_of(error)}"


def _parts(path: Path) -> Iterator[tuple[str, str]]:
    """Class and name of everything that the configuration in a `.keras` file names."""
    try:
        with zipfile.ZipFile(path) as archive:
            todo = [json.loads(archive.read("config.json"))]
    except Exception:  # whatever is wrong with it has been told
        return
    while todo:
        part = todo.pop(0)
        if isinstance(part, dict):
            config = part.get("config")
            if "class_name" in part and isinstance(config, dict):
                yield str(part["class_name"]), str(config.get("name"))
        if isinstance(part, dict | list):
            todo += part.values() if isinstance(part, dict) else part
