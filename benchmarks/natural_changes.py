"""How much of what generated kernels change is a change that images of one class show?

    python benchmarks/natural_changes.py --runs DIR [DIR ...] [--json FILE]

The figures of `few_labels_directions.py` for finished runs on their own test images, all classes:
generated kernels, noise of their variation, the learned image transformation between two latents
(`transformed`), ordinary image augmentation, and another image of the same class.
"""

import argparse
import os
from pathlib import Path

from few_labels_conditions import Condition
from few_labels_directions import measured, table_of

from keras_filtergan.files import write_json
from keras_filtergan.runs.run_directory import open_run
from keras_filtergan.runs.trained import TrainedRun

SOURCES = (
    Condition("generated", "generated"),
    Condition("noise", "noise"),
    Condition("transformed", transformed=1.0),
    Condition("images", images=1.0),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--rank", type=int, default=50, help="how many directions are the main ones"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = {}
    for path in options.runs:
        trained = TrainedRun.load(open_run(path), os.environ.get("TFDS_DATA_DIR"))
        results[path.name] = measured(trained, trained.dataset, SOURCES, options.rank)
    print(table_of(results))
    if options.json:
        write_json(options.json, results)


if __name__ == "__main__":
    main()
