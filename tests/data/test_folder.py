import os

import numpy as np
import pytest
from PIL import Image

from keras_filtergan.data.folder import load_folder
from keras_filtergan.errors import InputError


def picture(path, value=0, size=(5, 4), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def deep_picture(path, values):
    """A grey PNG of 16 bits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


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
        (tmp_path / name / f"{name}.webp").write_text("of another kind")
        (tmp_path / name / ".hidden.png").write_text("not an image")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "red" / "more.txt").write_text("not an image")
    data = load_folder(tmp_path)
    assert data.note.endswith("; files of other kinds passed over: 3 .txt, 2 .webp")
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


def of_another_kind(folder):
    for file in list((folder / "c").iterdir()):
        file.rename(file.with_suffix(".tiff"))


def train_alone(folder):
    (folder / "Train").mkdir()
    for name in ("a", "b", "c"):
        (folder / name).rename(folder / "Train" / name)


def train_twice(folder):
    for split in ("train", "Train", "test"):
        picture(folder / split / "a" / "0.png")


def single(folder):
    for file in sorted((folder / "c").iterdir())[1:]:
        file.unlink()


def uneven(folder):
    picture(folder / "train" / "a" / "0.png")
    picture(folder / "train" / "b" / "0.png")
    picture(folder / "test" / "a" / "0.png")
    picture(folder / "test" / "d" / "0.png")


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
        r"a/0\.png \(4, 5, 3\) and .*a/1\.png \(4, 5, 1\)",
    ),
    "not an image": (stop_with(b"text"), r"a/5\.png, which cannot be decoded"),
    "empty file": (stop_with(b""), r"a/5\.png, which cannot be decoded"),
    "truncated": (truncated, r"a/5\.png, which cannot be decoded"),
    "a folder named like an image": (
        lambda folder: (folder / "a" / "55.png").mkdir(),
        r"plain file, .*a/55\.png' is a folder",
    ),
    "no class folder": (only(), "no sub-folder"),
    "one class folder": (only("a"), "two or more class sub-folders .*Received: a;"),
    "class without images": (emptied, r"digits/c: expected PNG or JPEG"),
    "class of other files": (of_another_kind, r"Received: files of other kinds, 10 \.tiff; add"),
    "train alone": (train_alone, r"Received: Train; .*or give .*digits/Train to have it split"),
    "train and Train": (train_twice, r"one folder train/\. Received: Train, train"),
    "other depth": (
        lambda folder: deep_picture(folder / "b" / "0.png", np.zeros((4, 5), "uint16")),
        r"a/0\.png \(4, 5, 1\) and .*b/0\.png \(4, 5, 1\) of 16 bits",
    ),
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


@pytest.mark.parametrize(
    ("train", "others", "used", "remark"),
    [
        ("Train", ["Test"], "Test", ""),
        ("train", ["val"], "val", "test images are those of val/"),
        ("training", ["Validation"], "Validation", "test images are those of Validation/"),
        (
            *("TRAIN", ["val", "TEST"], "TEST"),
            "test images are those of TEST/, val/ is passed over",
        ),
    ],
)
def test_usual_names_of_splits(tmp_path, train, others, used, remark):
    for place, split in enumerate([train, *others]):
        for label, name in enumerate(["x", "y"]):
            picture(tmp_path / split / name / "0.png", 100 * label + 10 * place + 33)
    data = load_folder(tmp_path)
    place = 10 * (1 + others.index(used)) + 33
    assert data.x_train[:, 0, 0, 0].tolist() == [33, 133]
    assert data.x_test[:, 0, 0, 0].tolist() == [place, 100 + place]
    assert data.note == "; ".join(filter(None, [f"folder {tmp_path.name}", remark]))


def test_classes_may_be_called_like_a_split(tmp_path):
    for name in ("train", "car"):
        picture(tmp_path / name / "0.png", 40)
        picture(tmp_path / name / "1.png", 50)
    assert load_folder(tmp_path).class_names == ("car", "train")


def test_alpha_and_palette_are_converted_and_counted(tmp_path):
    colour = Image.new("RGB", (5, 4), (200, 30, 10))
    for name in ("a", "b"):
        picture(tmp_path / name / "0.png", (200, 30, 10), mode="RGB")
        picture(tmp_path / name / "1.png", (200, 30, 10, 7), mode="RGBA")
        colour.quantize(4).save(tmp_path / name / "2.png")
    with Image.open(tmp_path / "a" / "2.png") as written:
        assert written.mode == "P"
    data = load_folder(tmp_path)
    assert data.note.endswith("; files converted: 2 with alpha channel, 2 with palette")
    for images in (data.x_train, data.x_test):
        assert np.all(images == [200, 30, 10])


@pytest.mark.parametrize("order", ["01", "10"])
def test_grey_with_a_palette_or_alpha_joins_images_of_one_channel(tmp_path, order):
    for name in ("a", "b"):
        picture(tmp_path / name / f"{order[0]}.png", 90)
        Image.new("L", (5, 4), 90).convert("P").save(tmp_path / name / f"{order[1]}.png")
        picture(tmp_path / name / "2.png", (90, 7), mode="LA")
        picture(tmp_path / name / "3.png", (90, 90, 90, 7), mode="RGBA")
    data = load_folder(tmp_path)
    assert data.image_shape == (4, 5, 1)
    assert np.all(data.x_train == 90)
    assert data.note.endswith("files converted: 4 with alpha channel, 2 with palette")


def test_pngs_of_16_bits_keep_them(tmp_path):
    generator = np.random.default_rng(0)
    written = []
    for name in ("a", "b"):
        for i in range(3):
            values = generator.integers(0, 4096, (4, 5)).astype("uint16")
            values[0, 0] = 4095
            deep_picture(tmp_path / name / f"{i}.png", values)
            written.append(values / 4095)
    data = load_folder(tmp_path)
    assert data.note.endswith("pixels up to 4095 read as 12 bits")
    found = np.concatenate([data.x_train, data.x_test])[..., 0]
    for values in written:  # among them, whatever the split
        assert np.abs(found - values).max((1, 2)).min() < 1e-6
