import contextlib
import io
import json
import subprocess
import sys
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.saved_generator import load_generator

LATENTS = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


@pytest.fixture
def generator():
    options = {"strides": (2, 1), "padding": "valid", "use_bias": True}
    model = FilterGenerator((3, 2, 4, 5), latent_dim=3, width=8, seed=1, **options)
    model.build(LATENTS.shape)
    generator = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign(generator.normal(size=weight.shape))
    return model


@pytest.fixture
def path(generator, tmp_path):
    generator.save(tmp_path / "generator.keras")
    return tmp_path / "generator.keras"


def rewrite(path, **replaced: bytes):
    """The same archive with some members replaced; `None` leaves one out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members.update({name.replace("__", "."): data for name, data in replaced.items()})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            if data is not None:
                archive.writestr(name, data)


def change_config(path, **changes):
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"].update(changes)
    rewrite(path, config__json=json.dumps(config).encode())


def change_weights(path, change):
    with zipfile.ZipFile(path) as archive:
        held = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(held, "a") as file:
        change(file)
    rewrite(path, model__weights__h5=held.getvalue())


def replace(file, place, data):
    del file[place]
    file[place] = data


def in_chunks(file):
    """A few bytes on disk that unpack to half a gigabyte."""
    del file["vars/1"]
    file.create_dataset(
        "vars/1", (5, 24), "float32", maxshape=(5, None), chunks=(5, 2**25), compression="gzip"
    )


def test_it_is_the_one_that_was_saved(generator, path):
    loaded = load_generator(path)
    np.testing.assert_array_equal(loaded(LATENTS), generator(LATENTS))
    np.testing.assert_array_equal(loaded.bias, generator.bias)
    for name in ("kernel_shape", "strides", "padding", "dilation_rate", "groups", "use_bias"):
        assert getattr(loaded, name) == getattr(generator, name)
    assert loaded.is_trained()


def test_it_agrees_with_keras(path):
    theirs = keras.models.load_model(path)
    for one, other in zip(load_generator(path).weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_files_from_before_the_generator_knew_its_convolution(tmp_path):
    """Their configuration has no strides, and so on, and their weights no bias."""
    model = FilterGenerator((3, 3, 4, 5), latent_dim=3, width=8)
    model.build(LATENTS.shape)
    path = tmp_path / "generator.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    for name in ("strides", "padding", "dilation_rate", "groups", "use_bias"):
        del config["config"][name]
    rewrite(path, config__json=json.dumps(config).encode())
    np.testing.assert_array_equal(load_generator(path)(LATENTS), model(LATENTS))


def test_a_fresh_process_needs_one_import(path, tmp_path):
    code = "import sys, keras_filtergan as kfg; g = kfg.load_generator(sys.argv[1]);"
    code += "import numpy as np; np.save(sys.argv[2], g(np.ones((1, 3), 'float32')))"
    out = tmp_path / "kernels.npy"
    subprocess.run([sys.executable, "-c", code, path, out], check=True, capture_output=True)
    expected = load_generator(path)(np.ones((1, 3), "float32"))
    np.testing.assert_allclose(np.load(out), expected, atol=1e-6)


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is none at"):
        load_generator(tmp_path / "generator.keras")


def test_what_is_no_file(path):
    with pytest.raises(InputError, match=r"is a directory; give '.*/generator.keras'"):
        load_generator(path.parent)
    with pytest.raises(InputError, match=r"the path of a generator.keras file, received None"):
        load_generator(None)


def test_kernels_that_are_finite_at_zero_alone(generator, path):
    generator.latent_in.kernel.assign(np.full(generator.latent_in.kernel.shape, 3e38))
    generator.save(path)
    with pytest.raises(InputError, match="kernels are not finite"):
        load_generator(path)


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 and no more"])
def test_no_zip(tmp_path, data):
    (tmp_path / "x.keras").write_bytes(data)
    with pytest.raises(InputError, match="damaged or no"):
        load_generator(tmp_path / "x.keras")


def test_a_truncated_file(path):
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="damaged or no"):
        load_generator(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("place", np.linspace(0.02, 0.9, 9))
def test_flipped_bits_are_noticed_or_do_no_harm(path, generator, packing, place):
    """In the weights or what holds them; unused bytes of the container may change unnoticed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 0xFF
    path.write_bytes(bytes(data))
    try:
        loaded = load_generator(path)
    except InputError:
        return
    np.testing.assert_array_equal(loaded(LATENTS), generator(LATENTS))


def test_another_model(tmp_path):
    discriminator = Discriminator((3, 3, 5), 3, width=2, features=4)
    discriminator.build((None, 3, 3, 5))
    discriminator.save(tmp_path / "d.keras")
    with pytest.raises(
        InputError, match=r"holds a Discriminator registered as .*, expected a FilterGenerator"
    ):
        load_generator(tmp_path / "d.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "s.keras")
    with pytest.raises(InputError, match="holds a Sequential"):
        load_generator(tmp_path / "s.keras")


@pytest.mark.parametrize("name", ["config__json", "model__weights__h5"])
def test_a_member_is_missing(path, name):
    rewrite(path, **{name: None})
    with pytest.raises(InputError, match=f"holds no {name.replace('__', '.')}"):
        load_generator(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kernel_shape": [3, 2, 4]}, "kernel_shape is .*four whole numbers"),
        ({"kernel_shape": [3, 2, 4, -5]}, "kernel_shape is"),
        ({"kernel_shape": [3, 2, 4, 5.0]}, "kernel_shape is"),
        ({"latent_dim": True}, "latent_dim is True"),
        ({"width": "8"}, "width is '8'"),
        ({"strides": [1]}, "strides is"),
        ({"padding": "causal"}, "padding is 'causal'"),
        ({"strides": [1, 1], "dilation_rate": [2**28, 1]}, "larger than 1024"),
        ({"groups": 2}, "2 groups do not divide 5 channels"),
        ({"dilation_rate": [1, 2]}, "both strides and dilation"),
        ({"mean_learning_rate": float("nan")}, "mean_learning_rate is nan"),
        ({"width": 100_000}, r"asks for 10,00\d,\d+,?\d* parameters|at most"),
        ({"kernel_shape": [3, 2, 4, 6]}, r"'channel' is \(5, 8\) float32, expected \(6, 8\)"),
        ({"kernel_shape": [2, 3, 4, 5], "width": 9}, r"\(5, 8\) float32, expected \(5, 9\)"),
    ],
)
def test_a_configuration_that_cannot_be(path, changes, message):
    change_config(path, **changes)
    with pytest.raises(InputError, match=message):
        load_generator(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.__delitem__("vars/1"), "'mean' is missing"),
        (lambda file: replace(file, "vars/1", np.zeros((5, 24))), "float64, expected .*float32"),
        (lambda file: file["vars/1"].write_direct(np.full((5, 24), np.nan, "f")), "not finite"),
        (lambda file: file["vars/1"].write_direct(np.full((5, 24), 3e38, "f")), "not finite"),
        (in_chunks, "held in chunks"),
        (
            lambda file: replace(file, "vars/1", h5py.SoftLink("/hidden/vars/0")),
            "'mean' is missing",
        ),
        (
            lambda file: replace(file, "vars/1", h5py.ExternalLink("/etc/passwd", "/x")),
            "'mean' is missing",
        ),
        (lambda file: replace(file, "vars", h5py.SoftLink("/hidden/vars")), "is missing"),
    ],
    ids=[
        "missing",
        "double",
        "nan",
        "overflow",
        "chunks",
        "soft link",
        "link out of the file",
        "group by soft link",
    ],
)
def test_weights_that_are_not_the_generators(path, change, message):
    change_weights(path, change)
    with pytest.raises(InputError, match=message):
        load_generator(path)


def test_data_kept_outside_the_file(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(480))

    def outside(file):
        del file["vars/1"]
        external = [(str(tmp_path / "secret"), 0, 480)]
        file.create_dataset("vars/1", (5, 24), "float32", external=external)

    change_weights(path, outside)
    with pytest.raises(InputError, match="not held in the file"):
        load_generator(path)


def test_a_small_file_that_unpacks_to_much(path):
    rewrite(path, model__weights__h5=bytes(2**28))
    assert path.stat().st_size < 2**20
    with pytest.raises(InputError, match="larger than"):
        load_generator(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packings_are_not_unpacked_at_all(path, packing):
    """They are unpacked whole, whatever is asked for: a few hundred bytes hold 64 MB."""
    with zipfile.ZipFile(path) as archive:
        weights = archive.read("model.weights.h5")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", bytes(2**26), packing)
        archive.writestr("model.weights.h5", weights)
    assert path.stat().st_size < 2**16
    tracemalloc.start()
    with pytest.raises(InputError, match="packed in a way that Keras does not use"):
        load_generator(path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_weights_that_were_never_written(path):
    """A set without storage reads as zeros, as many as its shape says."""

    def hollow(file):
        shape = file["vars/1"].shape
        del file["vars/1"]
        file.create_dataset("vars/1", shape, "float32")

    change_weights(path, hollow)
    with pytest.raises(InputError, match="'mean' is not held in the file"):
        load_generator(path)


def test_code_in_the_file_is_not_run(path, tmp_path):
    """A configuration that Keras, told to trust it, turns into a call is never read."""
    trace = tmp_path / "ran"
    leave_trace = eval(f"lambda x: (open({str(trace)!r}, 'w').close(), x)[1]")
    payload = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(leave_trace)])
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    config["compile_config"] = {"loss": keras.saving.serialize_keras_object(payload)}
    rewrite(path, config__json=json.dumps(config).encode())
    trace.unlink()  # left when the payload was made
    load_generator(path)
    assert not trace.exists()
    with contextlib.suppress(ValueError):  # the file has no weights of an optimizer
        keras.models.load_model(path, safe_mode=False)
    assert trace.exists()
