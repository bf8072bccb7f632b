import os

import numpy as np
import pytest
from PIL import Image

from keras_filtergan.data.folder import load_folder
from keras_filtergan.errors import InputError


def picture(path, value=0, size=(5, 4), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


@pytest.fixture
def digits(tmp_path):
    """Ten grey images a class, file i of class c filled with 20 c + i."""
    for label, name in enumerate(["b", "a", "c"]):
        for i in range(10):
            picture(tmp_path / "digits" / name / f"{i}.png", 20 * label + i)
    return tmp_path / "digits"


def test_classes_are_sorted_and_split_80_20(digits):
    data = load_folder(digits)
    assert (data.name, data.class_names, data.image_shape) == ("digits", ("a", "b", "c"), (4, 5, 1))
    assert np.bincount(data.y_train).tolist() == [8, 8, 8]
    assert np.bincount(data.y_test).tolist() == [2, 2, 2]
    offsets = np.array([20, 0, 40])  # of a, b, c: a was made second
    seen = []
    for images, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert np.all(images == images[:, :1, :1])  # each picture is one flat value
        values = images[:, 0, 0, 0].astype(int)
        np.testing.assert_array_equal(offsets[labels], values // 20 * 20)
        seen += values.tolist()
    assert sorted(seen) == [20 * c + i for c in range(3) for i in range(10)]


def test_the_split_does_not_depend_on_place_or_time(digits, tmp_path):
    first = load_folder(digits)
    moved = tmp_path / "elsewhere"
    digits.rename(moved)
    for file in moved.rglob("*.png"):
        os.utime(file, (0, 0))
    assert load_folder(moved).fingerprint == first.fingerprint


def test_train_and_test_folders_are_used_as_they_stand(tmp_path):
    for split, count in (("train", 3), ("test", 1)):
        for label, name in enumerate(["x", "y"]):
            for i in range(count):
                picture(tmp_path / split / name / f"{i}.png", 100 * label + i)
    picture(tmp_path / "unused" / "z.png")
    data = load_folder(tmp_path)
    assert data.x_train[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert data.y_train.tolist() == [0, 0, 0, 1, 1, 1]
    assert (data.x_test[:, 0, 0, 0].tolist(), data.y_test.tolist()) == ([0, 100], [0, 1])


def test_colour_jpegs_and_stray_files(tmp_path):
    for name, colour in (("red", (250, 0, 0)), ("_green", (0, 250, 0))):
        picture(tmp_path / name / "a.jpg", colour, (16, 16), "RGB")
        picture(tmp_path / name / "b.JPEG", colour, (16, 16), "RGB")
        (tmp_path / name / "notes.txt").write_text("not an image")
        (tmp_path / name / ".hidden.png").write_text("not an image")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    data = load_folder(tmp_path)
    assert data.class_names == ("_green", "red")
    for images, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        brightest = images.mean((1, 2)).argmax(-1)  # channel: red 0, green 1
        np.testing.assert_array_equal(brightest, 1 - labels)


def stop_with(text):
    return lambda folder: (folder / "a" / "5.png").write_bytes(text)


def only(*names):
    def change(folder):
        for child in list(folder.iterdir()):
            if child.name not in names:
                for file in child.iterdir():
                    file.unlink()
                child.rmdir()

    return change


def emptied(folder):
    for file in (folder / "c").iterdir():
        file.unlink()


def single(folder):
    for file in sorted((folder / "c").iterdir())[1:]:
        file.unlink()


def uneven(folder):
    picture(folder / "train" / "a" / "0.png")
    picture(folder / "train" / "b" / "0.png")
    picture(folder / "test" / "a" / "0.png")
    picture(folder / "test" / "d" / "0.png")


whole = {}


def truncated(folder):
    file = folder / "a" / "5.png"
    file.write_bytes(file.read_bytes()[:-30])


BAD = {
    "other size": (
        lambda folder: picture(folder / "c" / "5.png", size=(6, 4)),
        r"a/0\.png \(4, 5, 1\) and .*c/5\.png \(4, 6, 1\)",
    ),
    "other channels": (
        lambda folder: picture(folder / "b" / "0.png", (1, 2, 3), mode="RGB"),
        r"a/0\.png \(4, 5, 1\) and .*b/0\.png \(4, 5, 3\)",
    ),
    "alpha": (
        lambda folder: picture(folder / "a" / "0.png", (1, 2, 3, 4), mode="RGBA"),
        r"a/0\.png with 4 channels",
    ),
    "not an image": (stop_with(b"text"), r"a/5\.png, which cannot be decoded"),
    "empty file": (stop_with(b""), r"a/5\.png, which cannot be decoded"),
    "truncated": (truncated, r"a/5\.png, which cannot be decoded"),
    "a folder named like an image": (
        lambda folder: (folder / "a" / "55.png").mkdir(),
        r"plain file, .*a/55\.png' is a folder; remove it",
    ),
    "no class folder": (only(), "no sub-folder"),
    "one class folder": (only("a"), "two or more class sub-folders .*Received: a;"),
    "class without images": (emptied, r"digits/c: expected PNG or JPEG"),
    "class with one image": (single, "1 in c"),
    "train and test differ": (uneven, r"Received: b, d in only one"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_folders_are_refused(digits, case):
    change, message = BAD[case]
    change(digits)
    with pytest.raises(InputError, match=message) as caught:
        load_folder(digits)
    assert "\n" not in str(caught.value)


def test_an_unreadable_folder_is_named(digits, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)  # chmod does not stop root
    with pytest.raises(InputError, match=r"digits \(Permission denied\)"):
        load_folder(digits)
