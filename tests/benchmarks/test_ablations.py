import dataclasses

import ablations
import numpy as np
import pytest
import tensorflow as tf
from commands import write_npz

from keras_filtergan.data import training_stream
from keras_filtergan.errors import InputError
from keras_filtergan.gan.methods import get_method
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings


@pytest.mark.slow
def test_a_finished_run_is_taken_only_if_it_is_of_these_settings(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(ablations, "METRICS", ("classifier_accuracy", "activation_variation"))
    data = write_npz(tmp_path, dataset)
    settings = Settings(layer=2, dataset=data, steps=2, batch_size=8, classifier_epochs=1)
    run = RunDirectory(tmp_path / "everything")
    first = ablations.row("everything", settings, run, None)
    trained = run.generator.stat().st_mtime_ns
    assert ablations.row("everything", settings, run, None) == first
    assert run.generator.stat().st_mtime_ns == trained
    with pytest.raises(InputError, match="code_weight"):
        ablations.row("everything", dataclasses.replace(settings, code_weight=9.0), run, None)


def test_what_settled_is_what_the_first_run_ended_at():
    rows = [{"code_weight": 7.0, "code_noise": 2.0}, {"code_weight": 1.0}]
    changes = {"code_weight": "settled", "variation_goal": None}
    assert ablations.settled(changes, rows) == {"code_weight": 7.0, "variation_goal": None}


def test_the_trade_off_is_drawn_by_the_variation_that_was_reached():
    """Rows in any order; one that diverged is left out."""
    names = ("classifier_accuracy", "averaged_accuracy", "critic_accuracy")
    names += ("explained_fraction", "pixel_distance")
    rows = [
        {
            "activation_variation": v,
            "swapped_accuracy": {"mean": 10 * v, "min": 5 * v},
            **{name: v + i for i, name in enumerate(names)},
        }
        for v in (0.5, 0.1, 0.3)
    ]
    figure = ablations.trade_off_figure([*rows, {"title": "x", "diverged": "step 3"}], "title")
    drawn = {line.get_label(): line for ax in figure.axes for line in ax.lines}
    assert len(drawn) == 7
    for line in drawn.values():
        np.testing.assert_allclose(line.get_xdata(), [0.1, 0.3, 0.5])
    worst = drawn["one generated layer, worst of 100"]
    np.testing.assert_allclose(worst.get_ydata(), [0.5, 1.5, 2.5])
    np.testing.assert_allclose(drawn["fresh critic is right"].get_ydata(), [2.1, 2.3, 2.5])


def played(variant, target, dataset):
    """A variant, its first batch and what it logs of that."""
    gan = variant(target, latent_dim=3, rank=6, seed=4)
    gan.compile()
    gan.adapt(dataset.x_train, dataset.y_train)
    shapes = {"noise_shape": target.activation_shape, "code_shape": gan.code_shape}
    stream = training_stream(
        dataset.x_train, dataset.y_train, batch_size=16, latent_dim=3, seed=0, **shapes
    )
    batch = next(iter(stream))
    return gan, batch, {name: float(value) for name, value in gan.train_step(batch).items()}


def test_where_all_of_z_moves_q_is_asked_for_every_step(target, dataset):
    gan, batch, logs = played(ablations.AllAtOnce, target, dataset)
    z = batch["latent"].numpy()
    steps = (z - np.roll(z, 1, axis=0)) / np.sqrt(2)
    assert np.all(steps != 0)
    # Q's last layer begins at zero: it says that nothing moved.
    np.testing.assert_allclose(logs["code_error"], np.mean(steps**2), rtol=1e-5)
    pair = gan._pair(batch["latent"], gan.target.features(batch["image"]), gan.generator, False)
    np.testing.assert_allclose(pair.latents - pair.origins, np.sqrt(2) * steps, atol=1e-6)


@pytest.mark.parametrize(("variant", "expected"), [(ablations.AlikeAllowed, 0.0), (None, 1.0)])
def test_dimensions_of_t_may_be_alike_at_no_cost(variant, expected, target, dataset):
    gan, batch, _ = played(variant or get_method("natural"), target, dataset)
    bend, stroke = gan.transformation.bend, gan.transformation.stroke
    bend.assign(tf.tile(bend[:1], (3, 1, 1, 1)))  # all three the same change
    stroke.assign(tf.tile(stroke[:1], (3,)))
    seen = gan._play(batch, gan.generator, training=False)
    np.testing.assert_allclose(seen.alikeness, expected, atol=1e-3)


def test_a_t_that_paints_is_trained_to_brighten(target, dataset):
    gan, batch, _ = played(ablations.Painting, target, dataset)
    gan.train_step(batch)
    black = tf.zeros([1, *target.image_shape])
    image = tf.fill(black.shape, 0.5)  # no displacement changes a flat image
    z, r = tf.ones([1, 3]), -tf.ones([1, 3])
    assert abs(float(gan.transformation((image, r, z))[0, 6, 6, 0]) - 0.5) > 1e-4
    np.testing.assert_array_equal(gan.transformation((black, r, z)), black)


@pytest.mark.parametrize("title", ["everything", *ablations.VARIANTS])
def test_a_row_trains_the_variant_of_its_title(title, tmp_path, dataset, monkeypatch):
    class Trained(Exception):
        pass

    def train(*args, **kwargs):
        raise Trained(get_method("natural"))

    monkeypatch.setattr(ablations.training, "train", train)
    settings = Settings(layer=2, dataset=write_npz(tmp_path, dataset), steps=2)
    usual = get_method("natural")
    with pytest.raises(Trained) as raised:
        ablations.row(title, settings, RunDirectory(tmp_path / "run"), None)
    assert raised.value.args == (ablations.VARIANTS.get(title, usual),)
    assert get_method("natural") is usual


def test_what_asking_more_of_t_costs_is_drawn_in_the_order_of_the_weights():
    def row(title, explained, **changes):
        names = ("activation_bias", "natural_critic", "natural_share")
        values = {name: explained / (i + 2) for i, name in enumerate(names)}
        return {"title": title, "changes": changes, "transformed_fraction": explained, **values}

    rows = [
        row("everything", 0.4),
        row("other rank", 0.9, rank=10),
        row(next(iter(ablations.VARIANTS)), 0.8),
        row("much", 0.5, image_weight=60.0),
        row("little", 0.2, image_weight=5.0),
        row("free", 0.6, bias_weight=0.0),
    ]
    figure = ablations.transformation_figure(rows, "title")
    for i, ax in enumerate(figure.axes):
        held, free = ax.lines
        np.testing.assert_allclose(held.get_xdata(), [0.2, 0.4, 0.5])
        np.testing.assert_allclose(held.get_ydata(), np.array([0.2, 0.4, 0.5]) / (i + 2))
        np.testing.assert_allclose(free.get_xdata(), [0.6])
        assert [text.get_text() for text in ax.texts] == ["5", "20", "60", "20"]
