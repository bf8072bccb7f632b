import json
import types

import bare
import numpy as np
import pytest
from PIL import Image

from keras_filtergan.cli import module_main
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.instruments.maximize.ascent import Ascent
from keras_filtergan.instruments.maximize.objectives import channel, class_logit
from keras_filtergan.instruments.maximize.study import maximization_study
from keras_filtergan.instruments.specimen import Specimen

OBJECTIVES = [0.2 * channel("conv4", 3) - class_logit(1), class_logit(2)]


@pytest.fixture(scope="module")
def examined(target, dataset):
    """The small network with a generator whose kernel sets differ; nothing else of a run."""
    generator = FilterGenerator(target.kernel_shape, latent_dim=3, **target.geometry)
    generator.build((None, 3))
    draw = np.random.default_rng(5)
    for weight in generator.trainable_variables:
        weight.assign(weight + 0.1 * draw.standard_normal(weight.shape))
    return Specimen(target, dataset, "small, conv4", types.SimpleNamespace(generator=generator))


@pytest.fixture(scope="module")
def bare_words(tmp_path_factory, classifier, dataset):
    return bare.words_of(classifier, dataset, tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def found(examined):
    return maximization_study(examined, OBJECTIVES, sets=2, how=Ascent(steps=5))


def test_the_numbers(found, examined):
    json.dumps(found.numbers)
    settings, rows = found.numbers["settings"], found.numbers["objectives"]
    assert settings["steps"] == 5
    assert settings["prior"]["name"] == "multiscale_edge"
    assert [row["objective"] for row in rows] == [str(objective) for objective in OBJECTIVES]
    for row in rows:
        assert list(row["kernels"]) == ["real kernels", "G(z1)", "G(z2)"]
        for entry in row["kernels"].values():
            assert entry["end"] >= entry["start"]
        real = row["kernels"]["real kernels"]
        assert real["end_under_real_kernels"] == pytest.approx(real["end"], rel=1e-4)
        generated = row["kernels"]["G(z1)"]
        assert generated["end_under_real_kernels"] != pytest.approx(generated["end"], rel=1e-4)
    best = rows[1]["best_test_image"]
    logits = examined.target((examined.dataset.x_test / 255).astype("float32")).numpy()[:, 2]
    assert best["number"] == np.argmax(logits)
    assert best["value"] == pytest.approx(logits.max(), rel=1e-4)
    assert rows[1]["spread"] == pytest.approx(logits.std(), rel=1e-3)


def test_the_figure_has_a_row_an_objective(found):
    shown = [ax for ax in found.figure.axes if ax.images]
    assert len(shown) == 2 * (1 + 3)
    assert [ax.get_title().partition("\n")[0] for ax in shown[:4]] == [
        "best test image", "real kernels", "G(z1)", "G(z2)",
    ]  # fmt: skip
    assert (
        shown[5]
        .get_title()
        .startswith(f"{found.numbers['objectives'][1]['kernels']['real kernels']['end']:#.3g}")
    )


def test_a_film_an_objective_of_one_channel(found, tmp_path):
    found.write(tmp_path, "maximize", say=lambda line: None)
    names = sorted(path.name for path in tmp_path.glob("*.gif"))
    assert names == [
        "maximize-1-0_2_channel_conv4_3_class_logit_1.gif",
        "maximize-2-class_logit_2.gif",
    ]
    with Image.open(tmp_path / names[1]) as film:
        assert film.n_frames > 1
        assert film.width > 3 * film.height


def test_a_classifier_alone_and_every_class(examined):
    alone = Specimen(examined.target, examined.dataset, "alone")
    found = maximization_study(alone, sets=2, start=3, how=Ascent(steps=2))
    rows = found.numbers["objectives"]
    assert [row["objective"] for row in rows] == [f"class_logit({k})" for k in range(3)]
    assert all(list(row["kernels"]) == ["real kernels"] for row in rows)
    image = (examined.dataset.x_test[3:4] / 255).astype("float32")
    logits = examined.target(image).numpy()[0]
    starts = [row["kernels"]["real kernels"]["start"] for row in rows]
    np.testing.assert_allclose(starts, logits, atol=0.1)  # but for the trace of noise


@pytest.mark.parametrize("start", ["median", -1, 40])
def test_no_such_start(examined, start):
    with pytest.raises(InputError, match="expected mean, grey or a test image from 0 to 39"):
        maximization_study(examined, OBJECTIVES, start=start)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--objective", "class_logit(7"], "column 14"),
        (["--objective", "class_logit(7)"], "a class from 0 to 2"),
        (["--objective", "channel('conv9', 1)"], "unknown layer 'conv9', expected one of: conv1"),
        (["--start", "median"], "expected mean, grey or a test image"),
        (["--scale", "0.5"], "a scale from 1 to 4"),
        (["--steps", "0"], "at least 1 step"),
        (["--kernels", "-1"], "--kernels of at least 0"),
    ],
)
def test_the_command_refuses_in_one_line(words, message, bare_words, tmp_path, capsys):
    assert module_main(["maximize", *bare_words, "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not (tmp_path / "out").exists()


def test_the_command(bare_words, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--objective", "class_logit(1)", "--steps", "2", "--start", "grey", "--prior", "none"]
    assert module_main(["maximize", *bare_words, "--out", str(out), *words]) == 0
    names = {"maximize.json", "maximize.png", "maximize-1-class_logit_1.gif"}
    assert {path.name for path in out.iterdir()} == names
    assert "class_logit(1)" in capsys.readouterr().out
