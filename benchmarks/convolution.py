"""One kernel set an example: the forms such a convolution can take, side by side.

    python benchmarks/convolution.py [--json benchmarks/convolution.json]

Medians of 30 calls, in milliseconds, forward and gradient. The forms take turns within a round, so
that other work on the machine meets all of them alike.
"""

import argparse
import json
import time

import numpy as np
import tensorflow as tf

from keras_filtergan.convolution import convolve

SHAPES = [(64, 7, 7, 32, 32), (64, 14, 14, 16, 32), (64, 28, 28, 1, 16), (64, 14, 14, 64, 64)]
ROUNDS = 30


def slices(images, kernels):
    m, h, w, _ = images.shape
    kh, kw = kernels.shape[1:3]
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]])
    parts = [padded[:, i : i + h, j : j + w] for i in range(kh) for j in range(kw)]
    patches = tf.reshape(tf.concat(parts, -1), [m, h * w, -1])
    return tf.reshape(patches @ tf.reshape(kernels, [m, -1, kernels.shape[-1]]), [m, h, w, -1])


def patches(images, kernels):
    m, h, w, _ = images.shape
    kh, kw = kernels.shape[1:3]
    found = tf.image.extract_patches(images, [1, kh, kw, 1], [1] * 4, [1] * 4, "SAME")
    found = tf.reshape(found, [m, h * w, -1])
    return tf.reshape(found @ tf.reshape(kernels, [m, -1, kernels.shape[-1]]), [m, h, w, -1])


def map_fn(images, kernels):
    single = lambda pair: tf.nn.conv2d(pair[0][None], pair[1], 1, "SAME")[0]  # noqa: E731
    return tf.map_fn(single, (images, kernels), fn_output_signature=tf.float32)


def one_shared_kernel_set(images, kernels):
    """The limit: what a step would cost without a kernel set each."""
    return tf.nn.conv2d(images, kernels[0], 1, "SAME")


FORMS = {
    "grouped (ours)": convolve,
    "slices + matmul": slices,
    "patches + matmul": patches,
    "map_fn": map_fn,
    "one shared set": one_shared_kernel_set,
}


def gradient_of(form, index):
    @tf.function
    def call(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = tf.reduce_sum(tf.square(form(*inputs)))
        return tape.gradient(value, inputs[index])

    return call


def measure(shape):
    m, h, w, cin, cout = shape
    inputs = tf.random.normal([m, h, w, cin]), tf.random.normal([m, 3, 3, cin, cout])
    calls = {
        (name, wrt): gradient_of(form, index)
        for name, form in FORMS.items()
        for index, wrt in enumerate(("images", "kernels"))
    }
    times = {key: [] for key in calls}
    for call in calls.values():
        call(*inputs)
    for _ in range(ROUNDS):
        for key, call in calls.items():
            begin = time.perf_counter()
            call(*inputs).numpy()
            times[key].append(1000 * (time.perf_counter() - begin))
    return {key: float(np.median(values)) for key, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="write the table here as well")
    options = parser.parse_args()
    table = []
    for shape in SHAPES:
        print(f"\nbatch {shape[0]}, {shape[1]}×{shape[2]}×{shape[3]} → {shape[4]} channels, 3×3")
        print(f"{'':20}{'d/d kernels':>14}{'d/d images':>14}")
        medians = measure(shape)
        for name in FORMS:
            kernels, images = medians[name, "kernels"], medians[name, "images"]
            print(f"{name:20}{kernels:11.1f} ms{images:11.1f} ms")
            row = {"shape": shape, "form": name, "kernels_ms": kernels, "images_ms": images}
            table.append(row)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(
                {"tensorflow": tf.__version__, "rounds": ROUNDS, "rows": table}, file, indent=1
            )


if __name__ == "__main__":
    main()
