"""A frozen prefix, kernels at the layer, and a new end of the network learned from few labels."""

import keras
import numpy as np
import tensorflow as tf
from few_labels_conditions import Condition, Draws, ImageAugmentation

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import to_unit_interval
from keras_filtergan.data.batches import map_in_batches

BATCH_SIZE = 64
LATENTS = 10  # of inference, as in `GeneratedConv2D`
INFERENCE_KEY = (0, -1)  # steps count from 0: no draw of training is like these
CHUNK = 500


class Transfer:
    """One condition, ready to learn from any few labels.

    Its training loop is one compiled function, traced once for all subsets and seeds. Everything
    that is random in it follows from the seed of `learn`, so any single result can be had again.

    Args:
        target: the frozen network; its prefix and its kernels never change.
        condition: what the images meet.
        draw: source of the kernels, `None` for the real ones.
        augmentation: of the images.
        steps: of training, on batches of `BATCH_SIZE`.
        learning_rate: Adam's; falls to zero along a cosine.
        fine_tune: start from the trained suffix, all but its read-out, rather than from nothing.
    """

    def __init__(
        self,
        target: FrozenTarget,
        condition: Condition,
        draw: Draws | None,
        augmentation: ImageAugmentation,
        steps: int,
        learning_rate: float,
        fine_tune: bool = False,
    ):
        self.target, self.condition, self.draw = target, condition, draw
        self.augmentation, self.steps, self.fine_tune = augmentation, steps, fine_tune
        self.suffix = new_suffix(target, seed=0)
        schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        self.optimizer = keras.optimizers.Adam(schedule)
        self.optimizer.build(self.suffix.trainable_variables)
        self.untouched = [variable.numpy() for variable in self.optimizer.variables]
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=target.gives_logits)
        self._fit = tf.function(self._all_steps, input_signature=self._signature())
        self._predict = tf.function(self._probabilities, reduce_retracing=True)
        self._settle = tf.function(self._normalize, reduce_retracing=True)

    def _signature(self) -> list:
        """Of `_all_steps`: any number of images; else each number is traced anew."""
        tensors = self.target.classifier.inputs
        if not self.augmentation.changes_images:
            tensors = self.target.prefix.outputs
        return [
            [tf.TensorSpec((None, *tensor.shape[1:]), tf.float32) for tensor in tensors],
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((self.steps, BATCH_SIZE), tf.int64),
            tf.TensorSpec((), tf.int64),
        ]

    def learn(self, images: np.ndarray, labels: np.ndarray, order: np.ndarray, seed: int) -> None:
        """Forget everything, then learn.

        Args:
            images: the few `(n, h, w, c)`.
            labels: theirs.
            order: rows of both that each step sees, `(steps, BATCH_SIZE)`.
            seed: of the first weights and of all draws.
        """
        self._forget(seed)
        images = to_unit_interval(images)
        self.clean = [tf.constant(part) for part in map_in_batches(self.target.features, images)]
        # what enters is the same in every step, unless the images change
        changing = self.augmentation.changes_images
        entering = [tf.constant(images)] if changing else self.clean
        self._fit(entering, tf.constant(labels), tf.constant(order), tf.constant(seed, tf.int64))

    def _forget(self, seed: int) -> None:
        fresh = new_suffix(self.target, seed)
        if self.fine_tune:
            weighted = [place for place, layer in enumerate(fresh.layers) if layer.weights]
            for place in weighted[:-1]:
                fresh.layers[place].set_weights(self.target.suffix.layers[place].get_weights())
        for variable, value in zip(self.suffix.variables, fresh.variables, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self.untouched, strict=True):
            variable.assign(value)
        self.augmentation.restart(seed)

    def _all_steps(
        self, entering: list[tf.Tensor], labels: tf.Tensor, order: tf.Tensor, seed: tf.Tensor
    ) -> None:
        for step in tf.range(self.steps, dtype=tf.int64):
            rows = order[step]
            batch = [tf.gather(part, rows) for part in entering]
            self._step(batch, tf.gather(labels, rows), tf.stack([seed, step]))

    def _step(self, entering: list[tf.Tensor], labels: tf.Tensor, key: tf.Tensor) -> None:
        features = entering
        if self.augmentation.changes_images:
            features = self.target.features(self.augmentation(entering[0], key))
        activations = self.target.activations(features, self._kernels(key))
        with tf.GradientTape() as tape:
            outputs = self.target.outputs(activations, features, self.suffix, training=True)
            cost = self.loss(labels, outputs)
        variables = self.suffix.trainable_variables
        self.optimizer.apply(tape.gradient(cost, variables), variables)

    def _kernels(self, key: tf.Tensor) -> tf.Tensor | None:
        if self.draw is None:
            return None
        kernels = self.draw(key, BATCH_SIZE)
        if self.condition.share == 1:
            return kernels
        drawn = tf.range(BATCH_SIZE) < round(self.condition.share * BATCH_SIZE)
        return tf.where(drawn[:, None, None, None, None], kernels, self.target.kernel)

    def inferences(self) -> dict[str, tf.Tensor]:
        """Kernel sets `(n, kh, kw, cin, cout)` over which a test may average the answers.

        `real`: the real one; `mean`: the one whose activations are the average over `LATENTS` fixed
        draws; `vote`: these draws themselves.
        """
        real = {"real": self.target.kernel[None]}
        if self.draw is None:
            return real
        drawn = self.draw(tf.constant(INFERENCE_KEY, tf.int64), LATENTS)
        if self.condition.kernels == "fixed random":
            return {"mean": drawn[:1]}  # there are no others
        return {"mean": tf.reduce_mean(drawn, axis=0, keepdims=True), "vote": drawn, **real}

    def accuracy(
        self, features: list[np.ndarray], labels: np.ndarray, kernel_sets: tf.Tensor
    ) -> float:
        """Share of images that the learned network gets right, averaged over kernel sets.

        For each kernel set the batch norms take the statistics of what the few images make under
        it, unchanged. Those of training are of augmented features, and cost an augmentation of
        images up to 4 % of accuracy on clean ones (seen on validation images).
        """
        answers = 0.0
        for kernels in kernel_sets:
            self._settle(self.clean, kernels)
            parts = [
                self._predict([tf.constant(f[start : start + CHUNK]) for f in features], kernels)
                for start in range(0, len(labels), CHUNK)
            ]
            answers = answers + np.concatenate(parts)
        return float(np.mean(np.argmax(answers, axis=-1) == labels))

    def _normalize(self, features: list[tf.Tensor], kernels: tf.Tensor) -> None:
        norms = [
            layer
            for layer in self.suffix.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 0.0  # while this is traced: one pass, and nothing of before is left
        activations = self.target.activations(features, kernels)
        self.target.outputs(activations, features, self.suffix, training=True)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum

    def _probabilities(self, features: list[tf.Tensor], kernels: tf.Tensor) -> tf.Tensor:
        activations = self.target.activations(features, kernels)
        outputs = self.target.outputs(activations, features, self.suffix)
        return tf.nn.softmax(outputs) if self.target.gives_logits else outputs


def new_suffix(target: FrozenTarget, seed: int) -> keras.Model:
    """What follows the layer, with weights that have learned nothing."""

    def reseeded(layer: keras.layers.Layer) -> keras.layers.Layer:
        config, place = layer.get_config(), target.suffix.layers.index(layer)
        seeds = [config] if "seed" in config else []  # of a dropout
        for key, value in config.items():
            if key.endswith("_initializer") and "seed" in (value or {}).get("config", {}):
                seeds.append(value["config"])
        for holder in seeds:  # a config holds its seed: without this every clone starts alike
            holder["seed"] = 1000 * (seed + 1) + place
        return type(layer).from_config(config)

    return keras.models.clone_model(target.suffix, clone_function=reseeded)
