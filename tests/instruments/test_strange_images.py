import numpy as np
from PIL import Image

from keras_filtergan.instruments.uncertainty.strange_images import fitted, noise_like, shuffled


def coloured(count=3, side=8):
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), "uint8")


def test_grey_is_pillows():
    images = coloured()
    expected = [np.asarray(Image.fromarray(image).convert("L")) for image in images]
    grey = fitted(images, (8, 8, 1))
    assert grey.shape == (3, 8, 8, 1)
    np.testing.assert_allclose(255 * grey[..., 0], expected, atol=1.0)


def test_halved_by_the_mean_over_blocks():
    images = coloured()
    blocks = (images / 255).reshape(3, 4, 2, 4, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(fitted(images, (4, 4, 3)), blocks, atol=1e-6)


def test_grey_in_three_channels():
    image = np.random.default_rng(0).uniform(size=(2, 5, 5, 1)).astype("float32")
    colour = fitted(image, (5, 5, 3))
    for channel in range(3):
        np.testing.assert_array_equal(colour[..., channel : channel + 1], image)


def test_shuffled_pixels_are_the_same_pixels_elsewhere():
    images = coloured() / np.float32(255)
    mixed = shuffled(images, seed=1)
    assert not np.array_equal(mixed, images)
    places = [
        np.argwhere((images[0] == pixel).all(axis=-1))[0] for pixel in mixed[0].reshape(-1, 3)
    ]
    for image, other in zip(images, mixed, strict=True):
        np.testing.assert_array_equal(other.reshape(-1, 3), [image[r, c] for r, c in places])


def test_noise_fills_the_range_evenly():
    noise = noise_like(np.zeros([50, 10, 10, 3]))
    assert noise.shape == (50, 10, 10, 3)
    assert 0 <= noise.min() <= noise.max() <= 1
    np.testing.assert_allclose(np.histogram(noise, 4)[0] / noise.size, 0.25, atol=0.02)
