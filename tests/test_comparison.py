import json
import shutil

import numpy as np
import pytest

from keras_filtergan import plots
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import load_dataset
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import grids
from keras_filtergan.files import save_model, write_json
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.inversion.anatomy import locality, nonlinearity
from keras_filtergan.runs import comparison
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

CARD = {
    "classifier_accuracy": 0.9,
    "swapped_accuracy": {"mean": 0.8, "std": 0.01, "min": 0.7, "count": 20},
    "code_r2": 0.5,
}


@pytest.fixture(scope="module", autouse=True)
def small_grids():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "IMAGES", 2)
        patch.setattr(grids, "GRID", 3)
        yield


def write_run(path, settings, classifier, dataset, card=CARD):
    """A finished run of an untrained generator whose image transformation does something."""
    target = FrozenTarget(classifier, settings.layer)
    gan = FilterGAN(target, latent_dim=settings.latent_dim, seed=settings.seed)
    gan.compile()
    gan.adapt(dataset.x_train)
    gan.transformation.build(None)
    kernel = gan.transformation.strengths.layers[-1].kernel
    kernel.assign(np.random.default_rng(settings.seed).normal(0, 0.1, kernel.shape))
    run = RunDirectory(path)
    made_of = {"dataset": dataset.fingerprint, "classifier": None}
    run.create(
        {
            "settings": settings.to_dict(),
            "made_of": made_of,
            "target_fingerprint": target.fingerprint(),
        }
    )
    players = gan.generator, gan.discriminator, gan.transformation
    TrainedRun(settings, dataset, target, *players, code_noise=2.0).save(run)
    save_model(classifier, run.classifier)
    run.write_evaluation(card)
    return run


@pytest.fixture(scope="module")
def runs(tmp_path_factory, dataset, classifier):
    """Layer 4 by its number and layer 2 by its name, in the wrong order."""
    folder = tmp_path_factory.mktemp("runs")
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / "patterns.npz", **arrays)
    made = []
    for layer, seed, card in ((4, 3, CARD), ("conv2", 5, {"activation_variation": 0.2})):
        settings = Settings(
            layer=layer,
            dataset=str(folder / "patterns.npz"),
            method="infogan",
            latent_dim=3,
            seed=seed,
        )
        loaded = load_dataset(settings.dataset)
        made.append(write_run(folder / f"layer{layer}", settings, classifier, loaded, card))
    return made


@pytest.fixture(scope="module")
def layers(runs):
    return comparison.compare_layers(runs, say=lambda line: None)


def changed(run, folder, **settings):
    """A copy of a run with other settings in its config."""
    shutil.copytree(run.path, folder)
    copy = RunDirectory(folder)
    config = copy.read_config()
    config["settings"].update(settings)
    write_json(copy.config, config)
    return copy


def test_layers_come_by_depth_with_what_their_cards_say(layers, runs):
    assert [(one.layer, one.depth, one.seed) for one in layers] == [
        ("conv2", 2, 5),
        ("conv4", 4, 3),
    ]
    assert [one.row["run"] for one in layers] == [str(runs[1].path), str(runs[0].path)]
    shallow, deep = (one.row for one in layers)
    assert deep["classifier_accuracy"] == 0.9
    assert deep["swapped_accuracy"]["mean"] == 0.8
    assert "activation_variation" not in deep
    assert "code_r2" not in deep
    assert shallow["activation_variation"] == 0.2
    assert {one.row["images"] for one in layers} == {2}


def test_the_walks_are_those_of_the_card_and_of_the_gallery(layers, runs):
    deep = layers[1]
    trained = TrainedRun.load(runs[0])
    card = trained.subject().walk
    found, made = deep.walks["inversion"], deep.walks["transformation"]
    np.testing.assert_array_equal(found.images, card.images)
    np.testing.assert_array_equal(found.latents, card.latents)
    np.testing.assert_array_equal(made.start, card.start)
    for i, start in enumerate(card.start):
        alone = trained.transformed_walk(start[None], card.latents)
        one = made.of_image(i)
        np.testing.assert_allclose(one.images, alone.images, atol=1e-6)
        assert one.explained_fraction == pytest.approx(alone.explained_fraction, rel=1e-4)
    for kind, walk in deep.walks.items():
        row = deep.row[kind]
        assert row["explained_fraction"] == walk.explained_fraction
        assert row["pixel_distance"] == walk.pixel_distance
        assert row["nonlinearity"] == nonlinearity(walk)
        assert row["locality"] == locality(walk)
        assert row["shares"]["all"] >= max(row["shares"].values()) - 1e-6
    assert deep.row["inversion"] != deep.row["transformation"]


def test_runs_that_cannot_be_compared_are_refused_before_any_walk(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "_walk_layer", lambda *_: pytest.fail("walked"))

    def refused(chosen, message):
        with pytest.raises(InputError, match=message) as error:
            comparison.compare_layers(chosen)
        assert "\n" not in str(error.value)

    refused([], "at least one run")
    by_name = changed(runs[0], tmp_path / "by_name", layer="conv4")
    refused([*runs, by_name], r"layer4' and .*by_name' are both of conv4, seed 3")
    one_way = changed(runs[0], tmp_path / "one_way", latent_dim=1, seed=9)
    refused([*runs, one_way], r"two latent dimensions or more, .*one_way' has one")
    other = changed(runs[0], tmp_path / "other", seed=9)
    config = other.read_config()
    write_json(other.config, {**config, "made_of": {**config["made_of"], "dataset": "other"}})
    refused([*runs, other], r"one dataset, .*layer4' and .*other' have different")


def test_another_seed_of_a_layer_is_another_row(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(comparison, "_walk_layer", lambda place, *_: (place.depth, place.seed))
    again = changed(runs[0], tmp_path / "again", seed=1)
    assert comparison.compare_layers([*runs, again]) == [(2, 5), (4, 1), (4, 3)]


def test_what_is_written(layers, tmp_path):
    lines = []
    paths = comparison.write_comparison(layers, tmp_path / "new" / "out", lines.append)
    names = ["layers.json", "layers_inversion.png", "layers_transformation.png"]
    assert [path.name for path in paths] == names
    assert sorted(path.name for path in paths[0].parent.iterdir()) == names  # nothing aside
    assert lines == [str(path) for path in paths]
    held = json.loads(paths[0].read_text(), parse_constant=pytest.fail)  # NaN is no JSON
    assert held == {"grid": 3, "span": 3.0, "layers": [one.row for one in layers]}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths[1:])


def test_a_place_that_cannot_be_written_is_an_input_error(layers, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        comparison.write_comparison(layers, tmp_path / "file" / "out", print)


def test_the_figure_shows_rows_of_middle_columns_then_middle_rows(layers):
    figure = comparison.draw_layers(layers, "transformation", image=1)
    shown = [ax.images[0].get_array().data for ax in figure.axes if ax.images]
    assert len(shown) == 2 * (1 + 3 + 3)
    for one, tiles in zip(layers, (shown[:7], shown[7:]), strict=True):
        walk = one.walks["transformation"]
        expected = [walk.start[1], *walk.images[1, :, 1], *walk.images[1, 1]]
        for tile, image in zip(tiles, expected, strict=True):
            np.testing.assert_array_equal(tile, image[..., 0])
    words = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert words[0] == "conv2\nseed 5"
    assert f"{layers[1].row['transformation']['nonlinearity']:.0%}" in words[3]
    with pytest.raises(InputError, match="image from 0 to 1, received 2"):
        comparison.draw_layers(layers, image=2)


def test_the_table_has_a_line_for_each_measure_and_a_dash_for_what_a_card_lacks(layers):
    table = {line.split("  ")[0]: line.split()[-2:] for line in _lines(layers)}
    assert table["classifier_accuracy"] == ["–", "0.900"]
    assert table["swapped_accuracy"] == ["–", "0.800"]
    assert table["activation_variation"] == ["0.200", "–"]
    shown = f"{layers[0].row['transformation']['shares']['shear']:.3f}"
    assert table["share of shear"][0] == shown  # the last of both kinds
    assert table["nonlinearity@3"] == table["nonlinearity"]


def _lines(layers):
    return [line.strip() for line in comparison.format_layers(layers).splitlines()]


def test_colour_images_are_drawn_in_colour():
    images = np.random.default_rng(0).uniform(size=(2, 3, 4, 5, 3))
    figure = plots.layers_figure(
        images[:, 0], images, images, [-1, 0, 1], ["a", "b"], ["c", "d"], "title"
    )
    shown = [ax.images[0].get_array().data for ax in figure.axes if ax.images]
    np.testing.assert_array_equal(shown[8], images[1, 0])
