import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.registry import METRICS
from keras_filtergan.inversion.anatomy import tangents

STEP = 0.01  # of a tangent, so small that images stay in [0, 1] but at their edges


class AlongTangents(keras.Model):
    """Moves an image along the tangents of the kinds that its latent dimensions are said to be."""

    def __init__(self, kinds):
        super().__init__()
        self.kinds = kinds

    def call(self, inputs):
        images, origins, latents = (np.asarray(part) for part in inputs)
        steps = latents - origins
        families = tangents(images)
        for i, kind in enumerate(self.kinds):
            if kind is not None:
                images = images + STEP * steps[:, i, None, None, None] * families[kind][:, 0]
        return tf.constant(images, tf.float32)


def geometry(subject, *kinds):
    moved = dataclasses.replace(subject, transformation=AlongTangents(kinds))
    return evaluate(moved, ["latent_geometry", "geometry_kinds"])


def test_dimensions_along_tangents_are_wholly_of_their_kind(trained_subject):
    card = geometry(trained_subject, "translation", "rotation", None)
    shares = card["latent_geometry"]
    assert shares["translation"] == pytest.approx(1, abs=1e-3)
    assert shares["rotation"] == pytest.approx(1, abs=1e-3)
    assert shares["all"] == pytest.approx(1, abs=1e-3)
    assert card["geometry_kinds"] == 2
    assert card["taken_over"]["geometry_kinds"]["latents"] == 21


def test_the_same_kind_twice_is_one_kind_more_dimensions_are_not_more(trained_subject):
    gain = geometry(trained_subject, "brightness", "brightness", None)
    assert gain["latent_geometry"]["brightness"] == pytest.approx(1, abs=1e-3)
    assert geometry(trained_subject, "rotation", None, None)["geometry_kinds"] == 1


def test_what_moves_nothing_has_no_share(trained_subject):
    card = geometry(trained_subject, None, None, None)
    assert card["latent_geometry"]["translation"] is None
    assert card["geometry_kinds"] == 0


def test_the_fraction_that_t_explains_is_that_of_a_loop(trained_subject):
    subject = dataclasses.replace(
        trained_subject, transformation=AlongTangents(("stroke_width", "shear", "scale"))
    )
    walk, target = subject.transformed_walk, subject.target
    before = after = 0.0
    middle = subject.kernels(np.zeros((1, 3), "float32"))[0]
    for n, x in enumerate(subject.walked_images):
        wanted = target.activations(target.features(x[None]), middle).numpy()
        for row in range(7):
            for column in range(7):
                kernels = subject.kernels(walk.latents[row, column][None])[0]
                for image, is_moved in ((x, False), (walk.images[n, row, column], True)):
                    found = target.activations(target.features(image[None]), kernels).numpy()
                    error = np.sum((found.astype("float64") - wanted) ** 2)
                    after, before = after + error * is_moved, before + error * (not is_moved)
    value = evaluate(subject, ["transformed_fraction"])["transformed_fraction"]
    assert value == pytest.approx(1 - after / before, abs=1e-4)


def test_sources_without_a_transformation_are_not_asked(trained_subject):
    for name in ("transformed_fraction", "latent_geometry", "geometry_kinds"):
        assert METRICS[name].lacks(trained_subject) == ["transformation"]
    with_one = dataclasses.replace(trained_subject, transformation=AlongTangents(()))
    assert with_one.with_kernels(with_one.kernels).transformation is None
