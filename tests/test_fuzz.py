"""A minute of inputs that are made to reach every line of our parsers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 60


@pytest.mark.slow
def test_a_minute_of_what_atheris_thinks_of(tmp_path):
    pytest.importorskip("atheris")
    (tmp_path / "corpus").mkdir()
    program = Path(__file__).parent / "fuzz.py"
    limits = [f"-max_total_time={SECONDS}", "-timeout=5", "-rss_limit_mb=1024", "-max_len=4096"]
    ended = subprocess.run(
        [sys.executable, program, tmp_path / "corpus", "-seed=1", *limits],
        capture_output=True,
        text=True,
        cwd=tmp_path,  # what breaks a parser is left there
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    done = re.search(r"Done (\d+) runs", ended.stderr)
    assert done, ended.stderr[-3000:]
    assert int(done[1]) > 1000
    print(f"{done[1]} inputs")  # for docs/reliability.md, with -s
