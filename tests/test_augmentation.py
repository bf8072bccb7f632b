"""Augmented data sets: what is in them, and that they are whole or not there."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf
import tensorflow_datasets as tfds

from keras_filtergan.augmentation import augmentation as module
from keras_filtergan.augmentation.augmentation import Augmentation
from keras_filtergan.augmentation.augmented_dataset import AugmentedDataset
from keras_filtergan.augmentation.recipe import WAY_NAMES, Recipe
from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.cli import module_main
from keras_filtergan.cli.progress import Progress
from keras_filtergan.data import ImageDataset, load_dataset
from keras_filtergan.data.pixels import to_bytes
from keras_filtergan.data.tfds_writer import tfds_name
from keras_filtergan.errors import InputError
from keras_filtergan.files import save_model
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

ROOT = Path(__file__).parents[1]
LATENT_DIM = 3
COLUMNS = ("images", "labels", "origins", "latents", "error_before", "error_after")


def make_trained(channels: int, dtype: str = "uint8") -> TrainedRun:
    """A run without training: labels are the network's answers, but for every fifth image."""
    rng = np.random.default_rng(channels)
    classifier = build_classifier((12, 12, channels), 3, widths=(4, 5, 6, 7, 8), seed=4)
    target = FrozenTarget(classifier, layer=4)
    images = rng.integers(0, 256, (60, 12, 12, channels)).astype("uint8")
    images[::2, :, :6] = 0
    answers = np.argmax(classifier(images / np.float32(255)), axis=-1)
    assert len(set(answers)) > 1  # else no image could lose its label
    labels = np.where(np.arange(60) % 5 == 4, (answers + 1) % 3, answers)
    if dtype == "float32":
        images = (images / 255).astype("float32")
    dataset = ImageDataset(
        "noise", images[:40], labels[:40], images[40:], labels[40:], ("a", "b", "c")
    )
    gan = FilterGAN(target, latent_dim=LATENT_DIM)
    gan.compile()
    gan.adapt(dataset.x_train)
    kernel = gan.transformation.strengths.layers[-1].kernel
    kernel.assign(rng.normal(0, 0.05, kernel.shape))
    gan.code_noise.value.assign(2.5)
    return TrainedRun.of(gan, Settings(method="infogan", latent_dim=LATENT_DIM), dataset)


@pytest.fixture(scope="module")
def trained() -> TrainedRun:
    return make_trained(1)


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory) -> RunDirectory:
    """The run on disk, as training would leave it."""
    folder = tmp_path_factory.mktemp("augmentation")
    data = trained.dataset
    arrays = {name: getattr(data, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / "noise.npz", **arrays)
    run = RunDirectory(folder / "run")
    settings = dataclasses.replace(trained.settings, dataset=str(folder / "noise.npz"))
    fingerprint = load_dataset(settings.dataset).fingerprint
    run.create(
        {
            "settings": settings.to_dict(),
            "made_of": {"dataset": fingerprint, "classifier": None},
            "target_fingerprint": trained.target.fingerprint(),
        }
    )
    Augmentation(trained, Recipe(images=5, by="transformation")).piece(0)  # all is built then
    save_model(trained.target.classifier, run.classifier)
    trained.save(run)
    run.write_evaluation({})
    return run


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "PIECE", 16)


def columns(augmentation: Augmentation) -> dict[str, np.ndarray]:
    pieces = [augmentation.piece(number) for number in range(len(augmentation))]
    return {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in COLUMNS}


def one_line(capsys) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    return error


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("by", ["inversion", "transformation"])
@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint8"), (3, "float32")])
def test_images_keep_their_label_and_undo_the_change_of_kernels(channels, dtype, by, small_pieces):
    """Labels, errors and latents again by hand, without the code that made them."""
    trained = make_trained(channels, dtype)
    data, target = trained.dataset, trained.target
    augmentation = Augmentation(trained, Recipe(draws=2, by=by, steps=15))
    assert augmentation.wrong == 8  # every fifth of 40
    made = columns(augmentation)
    assert made["images"].dtype == np.uint8
    assert made["images"].shape[1:] == (12, 12, channels)
    assert not set(made["origins"]) & set(range(4, 40, 5))
    np.testing.assert_array_equal(made["labels"], data.y_train[made["origins"]])
    shown = made["images"].astype("float32") / 255
    answers = np.argmax(target.classifier(shown), axis=-1)
    np.testing.assert_array_equal(answers, made["labels"])
    originals = to_bytes(data.x_train[made["origins"]]) / np.float32(255)
    for i in range(0, len(shown), 7):
        real, middle, drawn = (
            target.activations(target.features(x[None]), trained.generator(z[None])[0]).numpy()
            for x, z in (
                (originals[i], made["latents"][i]),
                (originals[i], np.zeros(LATENT_DIM, "float32")),
                (shown[i], made["latents"][i]),
            )
        )
        for name, activation in (("error_before", real), ("error_after", drawn)):
            assert made[name][i] == pytest.approx(np.sum((activation - middle) ** 2), rel=1e-3)
    if by == "inversion":  # the transformation of this run has learned nothing
        assert np.all(made["error_after"] < 1.01 * made["error_before"])  # stored in 8 bits
        assert made["error_after"].sum() < 0.8 * made["error_before"].sum()
    else:
        moved = trained.transformation((originals, np.zeros((1, 3), "float32"), made["latents"]))
        np.testing.assert_allclose(shown, moved, atol=0.51 / 255)


def test_images_that_lose_their_label_are_left_out_and_counted(trained, monkeypatch):
    """A way that gives every odd example an image of another class."""
    data = trained.dataset
    answers = np.argmax(trained.target.classifier(data.x_train / np.float32(255)), axis=-1)

    def careless(trained, recipe):
        def move(images, latents):
            labels = np.argmax(trained.target.classifier(images), axis=-1)
            others = [np.flatnonzero(answers != label)[0] for label in labels]
            wrong = data.x_train[others] / np.float32(255)
            odd = np.arange(len(images)) % 2 == 1
            return np.where(odd[:, None, None, None], wrong, images)

        return move

    monkeypatch.setitem(module.WAYS, "inversion", careless)
    augmentation = Augmentation(trained, Recipe())
    piece = augmentation.piece(0)
    assert piece.tried == augmentation.examples == 32
    np.testing.assert_array_equal(piece.origins, augmentation.numbers[::2])
    np.testing.assert_array_equal(piece.images, data.x_train[augmentation.numbers[::2]])


@pytest.mark.parametrize("by", ["inversion", "transformation"])
def test_an_image_that_causes_nothing_is_left_out_alone(trained, by):
    """A black one, in a network without biases: no other image can act as it does."""
    data = trained.dataset
    images, labels = data.x_train.copy(), data.y_train.copy()
    silent = int(Augmentation(trained, Recipe(by=by)).numbers[3])
    images[silent] = 0
    labels[silent] = np.argmax(trained.target(images[silent][None] / np.float32(255)))
    told = dataclasses.replace(
        trained, dataset=dataclasses.replace(data, x_train=images, y_train=labels)
    )
    recipe = Recipe(by=by, steps=3, span=0.1) if by == "inversion" else Recipe(by=by, span=0.1)
    piece = Augmentation(told, recipe).piece(0)
    assert piece.tried == 32
    assert silent not in piece.origins
    assert len(piece.origins) > 25
    np.testing.assert_array_equal(labels[piece.origins], piece.labels)


def test_a_latent_depends_on_seed_image_and_draw_alone(trained, small_pieces):
    few, more, other = (
        columns(Augmentation(trained, Recipe(by="transformation", **changes)))
        for changes in ({"images": 10}, {"draws": 3}, {"draws": 3, "seed": 1})
    )
    assert set(few["origins"]) < set(more["origins"])
    sets = {n: more["latents"][more["origins"] == n] for n in set(more["origins"])}
    for origin, latent in zip(few["origins"], few["latents"], strict=True):
        assert latent.tolist() in sets[origin].tolist()
    drawn = np.concatenate([more["latents"], other["latents"]])
    assert len({z.tobytes() for z in drawn}) == len(drawn)  # no two alike


def test_latents_are_normal_and_as_wide_as_the_span(trained):
    numbers = np.arange(2000, dtype=np.int64) * module.ROOM
    drawn = module._latents(0, tf.constant(numbers), LATENT_DIM).numpy()
    assert scipy.stats.kstest(drawn.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(drawn.T) - np.eye(3)).max() < 0.07
    wide, usual = (
        columns(Augmentation(trained, Recipe(images=5, span=span, by="transformation")))
        for span in (2.0, 1.0)
    )
    both = np.isin(wide["origins"], usual["origins"])
    back = np.isin(usual["origins"], wide["origins"])
    np.testing.assert_allclose(wide["latents"][both], 2 * usual["latents"][back])


def test_what_is_written_is_what_was_made(run, trained, tmp_path, capsys, small_pieces):
    """By TFDS and by `load_dataset`, by every name that the set has."""
    out = tmp_path / "more-noise"
    words = ["augment", "--run", str(run.path), "--images", "30", "--by", "transformation"]
    assert module_main([*words, "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    augmentation = Augmentation(trained, Recipe(images=30, by="transformation"))
    made = columns(augmentation)
    kept = len(made["images"])
    assert f"kept {kept} of {augmentation.examples} images made" in said.out
    assert f"left out {30 - augmentation.examples} originals" in said.out
    data = trained.dataset
    for name, folder in ((out, None), (out / "1.0.0", None), (tfds_name("more-noise"), tmp_path)):
        if folder:
            out.rename(tmp_path / name)
        loaded = load_dataset(name, folder)
        np.testing.assert_array_equal(
            loaded.x_train, np.concatenate([data.x_train, made["images"]])
        )
        np.testing.assert_array_equal(
            loaded.y_train, np.concatenate([data.y_train, made["labels"]])
        )
        np.testing.assert_array_equal(loaded.x_test, data.x_test)
        np.testing.assert_array_equal(loaded.y_test, data.y_test)
    builder = tfds.builder_from_directory(tmp_path / name / "1.0.0")
    examples = list(tfds.as_numpy(builder.as_dataset("train", shuffle_files=False)))
    assert [e["augmented"] for e in examples] == [False] * 40 + [True] * kept
    assert [e["origin"] for e in examples[:40]] == list(range(40))
    np.testing.assert_array_equal([e["origin"] for e in examples[40:]], made["origins"])
    np.testing.assert_array_equal([e["latent"] for e in examples[40:]], made["latents"])
    assert not np.any([e["latent"] for e in examples[:40]])
    record = next(iter(tf.data.TFRecordDataset(builder.info.splits["train"].filepaths)))
    image = tf.train.Example.FromString(record.numpy()).features.feature["image"]
    assert image.bytes_list.value[0].startswith(b"\x89PNG")


def test_without_originals(run, tmp_path, capsys):
    out = str(tmp_path / "set")
    words = ["augment", "--run", str(run.path), "--by", "transformation", "--out", out]
    assert module_main([*words, "--without-originals"]) == 0
    kept = json.loads((tmp_path / "set" / "augmentation.json").read_text())["counts"]["kept"]
    loaded = load_dataset(out)
    assert (len(loaded.x_train), len(loaded.x_test)) == (kept, 20)
    capsys.readouterr()
    assert module_main(words) == 2
    assert "originals False → True" in one_line(capsys)
    before = files(tmp_path)
    assert module_main([*words, "--without-originals"]) == 0
    assert "is complete: kept" in capsys.readouterr().out
    assert files(tmp_path) == before


@pytest.mark.slow
def test_after_an_interruption_the_same_command_ends_at_the_same_bits(
    run, tmp_path, capsys, monkeypatch
):
    """SIGINT within the third piece, then a SIGKILLed process, a damaged piece, then to the end."""
    words = ["augment", "--run", str(run.path), "--steps", "5", "--out"]
    monkeypatch.setattr(module, "PIECE", 4)  # 8 pieces
    (tmp_path / "straight").mkdir()
    assert module_main([*words, str(tmp_path / "straight" / "set")]) == 0
    place = tmp_path / "stopped"
    place.mkdir()
    words.append(str(place / "set"))
    piece = Augmentation.piece

    def interrupted(self, number):
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return piece(self, number)

    capsys.readouterr()
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # which test runners may take
    try:
        with monkeypatch.context() as patched:
            patched.setattr(Augmentation, "piece", interrupted)
            assert module_main(words) == 130
    finally:
        signal.signal(signal.SIGINT, usual)
    assert "the same command goes on" in one_line(capsys)
    partial = place / "set.partial"
    assert sorted(path.name for path in partial.glob("piece*")) == [
        "piece-000000.npz",
        "piece-000001.npz",
    ]
    assert module_main([*words, "--seed", "1"]) == 2
    assert "unfinished augmented data set of other settings (seed 0 → 1)" in one_line(capsys)

    script = (
        "import sys, time\n"
        "from keras_filtergan.augmentation import augmentation as a\n"
        "a.PIECE = 4\n"
        "piece = a.Augmentation.piece\n"
        "a.Augmentation.piece = lambda *given: (time.sleep(given[1] // 4 * 60), piece(*given))[1]\n"
        "from keras_filtergan.cli import module_main; sys.exit(module_main(sys.argv[1:]))"
    )
    process = subprocess.Popen([sys.executable, "-c", script, *words], cwd=ROOT)
    deadline = time.monotonic() + 120
    while not (partial / "piece-000003.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert not (place / "set").exists()
    assert len(list(partial.glob("piece*"))) == 4
    (partial / "piece-000001.npz").write_bytes(b"PK")
    asked = []
    with monkeypatch.context() as patched:
        patched.setattr(Augmentation, "piece", lambda self, n: asked.append(n) or piece(self, n))
        assert module_main(words) == 0
    assert asked == [1, 4, 5, 6, 7]  # what there was is not made again
    assert files(place / "set") == files(tmp_path / "straight" / "set")
    assert [path.name for path in place.iterdir()] == ["set"]


def test_a_stop_while_the_files_are_written_leaves_nothing_half(run, tmp_path, monkeypatch, capsys):
    words = ["augment", "--run", str(run.path), "--by", "transformation", "--out"]
    out = tmp_path / "set"
    publish = AugmentedDataset._publish

    def stopped(self, augmentation, originals, tally):
        def examples(*given):
            yield from ()
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            name = "keras_filtergan.augmentation.augmented_dataset.test_examples"
            patched.setattr(name, examples)
            publish(self, augmentation, originals, tally)

    with monkeypatch.context() as patched:
        patched.setattr(AugmentedDataset, "_publish", stopped)
        assert module_main([*words, str(out)]) == 130
    assert not out.exists()
    assert module_main([*words, str(out)]) == 0
    assert len(load_dataset(out).x_test) == 20
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("stage", ["_keep_piece", "_publish"])
def test_what_another_process_finishes_meanwhile_counts(stage, run, tmp_path, monkeypatch, capsys):
    """The first one to be done takes the pieces away, wherever the second is."""
    words = ["augment", "--run", str(run.path), "--by", "transformation", "--out"]
    assert module_main([*words, str(tmp_path / "alone" / "set")]) == 0
    work = getattr(AugmentedDataset, stage)

    def overtaken(*arguments):
        monkeypatch.setattr(AugmentedDataset, stage, work)
        assert module_main([*words, str(tmp_path / "both" / "set")]) == 0
        return work(*arguments)

    monkeypatch.setattr(AugmentedDataset, stage, overtaken)
    capsys.readouterr()
    assert module_main([*words, str(tmp_path / "both" / "set")]) == 0
    first, second = (line for line in capsys.readouterr().out.splitlines() if "kept" in line[:5])
    assert first == second
    assert files(tmp_path / "both") == files(tmp_path / "alone")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "0"], "--images to be an integer of at least 1, received 0"),
        (["--images", "41"], "--images of at most the 40 training images of the run, received 41"),
        (["--draws", "0"], "--draws to be an integer from 1 to 10⁶, received 0"),
        (["--span", "0"], "--span to be a number above 0"),
        (["--span", "nan"], "--span to be a number above 0"),
        (["--steps", "0"], "--steps"),
        (["--seed", "-1"], "--seed"),
        (["--by", "magic"], "invalid choice: 'magic'"),
        (["--run", "nowhere"], "no run in 'nowhere'"),
        (["--out", "/proc/none/set"], "cannot write to '/proc/none/set.partial'"),
    ],
)
def test_bad_arguments(arguments, message, run, tmp_path, capsys):
    words = ["augment", "--run", str(run.path), "--out", str(tmp_path / "set"), *arguments]
    try:
        code = module_main(words)
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert message in one_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_bad_places(run, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    (tmp_path / "new.partial").mkdir()
    (tmp_path / "new.partial" / "thesis.tex").write_text("mine")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "augmentation.json").write_text("{")
    before = files(tmp_path)
    for name, message in (
        ("file", "is a file; choose another folder"),
        ("full", "is not empty and holds no augmented data set; choose another folder"),
        ("new", "new.partial' is not empty and holds no unfinished augmented data set"),
        ("damaged", "is damaged (Expecting"),
        ("file/set", "cannot write to"),
    ):
        words = ["augment", "--run", str(run.path), "--out", str(tmp_path / name)]
        assert module_main(words) == 2
        assert message in one_line(capsys)
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["classifier", "transformation", "generator"])
def test_a_run_that_lacks_a_file(name, run, tmp_path, capsys):
    broken = RunDirectory(tmp_path / "run")
    broken.path.mkdir()
    for file, content in files(run.path).items():
        if file != f"{name}.keras":
            (broken.path / file).write_bytes(content)
    words = ["augment", "--run", str(broken.path), "--out", str(tmp_path / "set")]
    assert module_main(words) == 2
    assert f"is not finished, it lacks {name}.keras; continue it" in one_line(capsys)
    assert not (tmp_path / "set.partial").exists()


def test_nothing_to_write_is_an_error(trained, tmp_path, monkeypatch):
    def black(trained, recipe):
        return lambda images, latents: np.zeros_like(images)

    monkeypatch.setitem(module.WAYS, "inversion", black)
    answer = int(np.argmax(trained.target.classifier(np.zeros((1, 12, 12, 1))), axis=-1)[0])
    data = trained.dataset
    others = np.flatnonzero(data.y_train != answer)
    smaller = ImageDataset(
        "n", data.x_train[others], data.y_train[others], data.x_test, data.y_test, ("a", "b", "c")
    )
    augmentation = Augmentation(dataclasses.replace(trained, dataset=smaller), Recipe())
    place = AugmentedDataset(tmp_path / "set", {"made": "of this"})
    with pytest.raises(InputError, match=r"none of \d+ did; try a smaller `span`"):
        place.fill(augmentation, originals=True)
    assert not place.out.exists()
    answers = np.argmax(trained.target.classifier(smaller.x_train / np.float32(255)), axis=-1)
    all_wrong = dataclasses.replace(smaller, y_train=(answers + 1) % 3)
    with pytest.raises(InputError, match="that the run's classifier gets right"):
        Augmentation(dataclasses.replace(trained, dataset=all_wrong), Recipe())


def test_help_needs_no_tensorflow():
    command = [sys.executable, "-X", "importtime", "-m", "keras_filtergan", "augment", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert "--without-originals" in result.stdout
    imported = {line.rsplit("|")[-1].strip() for line in result.stderr.splitlines()}
    assert not imported & {"tensorflow", "tensorflow_datasets", "keras", "numpy"}


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress(is_terminal, monkeypatch):
    class Stream(list):
        def isatty(self):
            return is_terminal

        def flush(self):
            pass

    clock = iter([100.0, 101.0, 105.0, 120.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    stream = Stream()
    stream.write = stream.append
    progress = Progress(1000, stream)
    progress.advance(200, 190, is_new=False)  # a piece of before: no sign of speed
    progress.advance(200, 200, is_new=True)
    progress.advance(600, 590, is_new=True)
    progress.close()
    last = "1,000 of 1,000 images, 980 kept, 40.0 images/s"
    if is_terminal:
        first, second = "200 of 1,000 images, 190 kept", "400 of 1,000 images, 390 kept, 40.0"
        assert stream[0] == f"\r\x1b[K{first}"
        assert stream[1:] == [
            f"\r\x1b[K{second} images/s, 15 s left",
            f"\r\x1b[K{last}",
            "\n",
        ]
    else:
        assert stream == [f"{last}\n"]


def test_names_that_tfds_takes():
    names = {
        "my-mnist.2": "my_mnist_2",
        "60k": "set_60k",
        "Ünter": "nter",
        "mnist": "mnist",
        "-": "set",
    }
    assert {name: tfds_name(name) for name in names} == names


def test_every_way_that_can_be_asked_for_exists():
    assert tuple(module.WAYS) == WAY_NAMES
