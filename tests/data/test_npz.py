import numpy as np
import pytest

from keras_filtergan.data.npz import load_npz
from keras_filtergan.errors import InputError


def arrays(**changes):
    rng = np.random.default_rng(1)
    return {
        "x_train": rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": rng.integers(0, 256, (3, 4, 5, 3), dtype=np.uint8),
        "y_test": np.array([2, 1, 0]),
    } | changes


def test_arrays_come_back_as_saved(tmp_path):
    given = arrays()
    np.savez_compressed(tmp_path / "dots.npz", **given)
    data = load_npz(tmp_path / "dots.npz")
    assert (data.name, data.class_names) == ("dots", ("0", "1", "2"))
    for name, array in given.items():
        np.testing.assert_array_equal(getattr(data, name), array)


def test_grey_images_and_column_labels_are_understood(tmp_path):
    given = arrays()
    grey = {"x_train": given["x_train"][..., 0], "x_test": given["x_test"][..., 0]}
    np.savez(tmp_path / "a.npz", **arrays(**grey, y_train=given["y_train"][:, None]))
    data = load_npz(tmp_path / "a.npz")
    assert data.image_shape == (4, 5, 1)
    np.testing.assert_array_equal(data.x_test[..., 0], grey["x_test"])
    np.testing.assert_array_equal(data.y_train, given["y_train"])


def test_class_names_may_be_given(tmp_path):
    np.savez(tmp_path / "a.npz", **arrays(class_names=np.array(["ant", "bee", "cow"])))
    assert load_npz(tmp_path / "a.npz").class_names == ("ant", "bee", "cow")


def test_pickles_are_never_opened(tmp_path):
    opened = []

    class Trap:
        def __reduce__(self):
            return (opened.append, (1,))

    trap = np.empty(1, object)
    trap[0] = Trap()
    np.savez(tmp_path / "a.npz", **arrays(x_test=trap))
    opened.clear()
    with pytest.raises(InputError, match=r"array x_test in .*a\.npz"):
        load_npz(tmp_path / "a.npz")
    assert not opened


BAD_ARRAYS = {
    "labels from 1000": (dict(y_train=np.full(6, 1000)), "a label of 1000"),
    "float labels": (dict(y_train=np.zeros(6)), "y_train: expected integer"),
    "empty": (dict(x_train=np.zeros((0, 4, 5, 3), np.uint8), y_train=np.zeros(0, int)), "at least"),
    "scalars": (dict(x_train=np.uint8(3)), r"shape \(\)"),
    "names are numbers": (dict(class_names=np.arange(3)), "class_names as a list of strings"),
    "too few names": (dict(class_names=np.array(["a", "b"])), r"0\.\.1. Received: 0\.\.2"),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
def test_bad_arrays_are_refused(tmp_path, case):
    changes, message = BAD_ARRAYS[case]
    np.savez(tmp_path / "a.npz", **arrays(**changes))
    with pytest.raises(InputError, match=message) as caught:
        load_npz(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
def test_a_missing_array_is_named(tmp_path, name):
    given = arrays()
    del given[name]
    np.savez(tmp_path / "a.npz", **given)
    with pytest.raises(InputError, match=rf"a\.npz: .*add {name}\."):
        load_npz(tmp_path / "a.npz")


def cut(path):
    np.savez(path, **arrays())
    path.write_bytes(path.read_bytes()[:-100])


def damage(path):
    np.savez(path, **arrays())
    content = bytearray(path.read_bytes())
    content[300:310] = b"0123456789"  # within the pixels of the first array
    path.write_bytes(content)


def one_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


BAD_FILES = {
    "cut short": cut,
    "damaged": damage,
    "text": lambda path: path.write_text("not a zip"),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": lambda path: path.mkdir(),
    "not there": lambda path: None,
    "one array": one_array,
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_broken_file_is_named(tmp_path, case):
    path = tmp_path / "bad.npz"
    BAD_FILES[case](path)
    with pytest.raises(InputError, match=r"bad\.npz") as caught:
        load_npz(path)
    assert "\n" not in str(caught.value)
