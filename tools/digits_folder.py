"""A folder of images that this project was not developed on: scikit-learn's handwritten digits.

    pip install scikit-learn
    python tools/digits_folder.py FOLDER

1,797 digits of 8 × 8 pixels (UCI, by 43 writers), enlarged to 24 × 24, one PNG each in
`FOLDER/train/LABEL` and, from the 1,501st on, `FOLDER/test/LABEL`.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

TRAINING = 1500


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    from sklearn.datasets import load_digits  # none of the project's packages

    digits = load_digits()
    for number, (image, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        place = folder / ("train" if number < TRAINING else "test") / str(label)
        place.mkdir(parents=True, exist_ok=True)
        pixels = Image.fromarray(np.uint8(np.minimum(image * 16, 255)))  # 0 to 16
        pixels.resize((24, 24), Image.Resampling.BICUBIC).save(place / f"{number:04d}.png")


if __name__ == "__main__":
    main()
