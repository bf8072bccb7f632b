"""Train a MobileNetV2 on CIFAR-10 for some minutes: a network of real size to try things on.

    python tools/train_mobilenet.py mobilenet.keras --minutes 5

Images are resized to 96 × 96 pixels in [-1, 1], as the family expects. Nothing is downloaded but
the data set, if TFDS does not have it yet. docs/real_networks.md goes on from there.
"""

import argparse
import time

import keras

import keras_filtergan as kfg

SIDE = 96


class Until(keras.callbacks.Callback):
    """Ends training after some seconds."""

    def __init__(self, seconds: float):
        super().__init__()
        self.end = time.monotonic() + seconds

    def on_train_batch_end(self, batch, logs=None):
        """Stop when it is time."""
        self.model.stop_training = time.monotonic() > self.end


def main() -> None:
    """Train, save, say how accurate it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", help="the .keras file to write")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--alpha", type=float, default=0.35, help="width of the network")
    parser.add_argument("--dataset", default="cifar10", help="any colour images")
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    data = kfg.data.load_dataset(options.dataset, image_size=SIDE)
    model = keras.applications.MobileNetV2(
        (SIDE, SIDE, 3), options.alpha, weights=None, classes=10, classifier_activation=None
    )
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.95  # its 0.999 is for days, not for minutes
    model.compile(
        keras.optimizers.Adam(2e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    stream = kfg.data.image_stream(data.x_train, data.y_train, 64, seed=0)
    signed = stream.map(lambda x, y: (2 * x - 1, y))
    model.fit(signed, steps_per_epoch=10**6, verbose=0, callbacks=[Until(60 * options.minutes)])
    model.save(options.out)
    test = kfg.data.to_unit_interval(data.x_test[:2000])
    print("accuracy", model.evaluate(2 * test - 1, data.y_test[:2000], verbose=0)[1])


if __name__ == "__main__":
    main()
