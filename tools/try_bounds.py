"""The package's tests with the oldest, or the newest, versions that setup.cfg allows.

    python tools/try_bounds.py lowest                  # a selection of the tests
    python tools/try_bounds.py newest -m "not slow"    # whatever pytest is asked for

Each is installed into an environment of its own, which is deleted afterwards.
"""

import argparse
import configparser
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOWER_BOUND = re.compile(r"^([A-Za-z0-9_.-]+)\s*>=\s*([0-9.]+)")
SELECTION = (
    "tests/test_private_keras.py",
    "tests/test_target.py",
    "tests/test_saved_generator.py",
    "tests/test_filtergan.py",
    "tests/test_checkpoints.py",
    "tests/test_any_classifier.py",
    "tests/test_plots.py",
    "tests/data",
    "tests/layers",
)


def requirements(setup_cfg: str) -> list[str]:
    """What an installation needs, from the text of setup.cfg, a string each."""
    parser = configparser.ConfigParser()
    parser.read_string(setup_cfg)
    return parser["options"]["install_requires"].split()


def lowest(needed: list[str]) -> list[str]:
    """`name==version` at each lower bound; raises ValueError for a requirement without one.

    >>> lowest(["keras>=3.15,<4", "numpy>=1.26"])
    ['keras==3.15', 'numpy==1.26']
    """
    bounds = [(text, LOWER_BOUND.match(text)) for text in needed]
    unbounded = [text for text, found in bounds if not found]
    if unbounded:
        raise ValueError(f"no lower bound in setup.cfg: {', '.join(unbounded)}")
    return [f"{found[1]}=={found[2]}" for _, found in bounds if found]


def key(requirement: str) -> str:
    """The name of a package, spelled in one way."""
    return re.split("[<>=]", requirement)[0].lower().replace("-", "_")


def main(arguments: list[str]) -> int:
    """Install, say what was installed, run the tests; returns pytest's exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("end", choices=["lowest", "newest"])
    asked, for_pytest = parser.parse_known_args(arguments)
    needed = requirements((ROOT / "setup.cfg").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        pinned = lowest(needed) if asked.end == "lowest" else []
        constraints.write_text("\n".join(pinned), encoding="utf-8")
        venv.create(Path(folder, "env"), with_pip=True)
        python = Path(folder, "env", "bin", "python")
        install = ["-m", "pip", "install", "-q", "-c", constraints, f"{ROOT}[test]"]
        subprocess.run([python, *install], check=True)
        versions = subprocess.run(
            [python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        names = {key(text) for text in needed}
        print(*(line for line in versions if key(line) in names))
        tests = for_pytest or [*SELECTION, "-m", "not slow"]
        environment = {**os.environ, "PYTHONPATH": ""}
        done = subprocess.run([python, "-m", "pytest", "-q", *tests], cwd=ROOT, env=environment)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
