"""Fill the tables of docs/performance.md with what the benchmarks have written.

    python tools/performance_tables.py

What stands between `<!-- table: NAME -->` and `<!-- end -->` becomes the machine, the command and
the tables of docs/results/NAME.json; where there is no such file, it stays as it is.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "benchmarks"))

import contest  # noqa: E402

PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def section(kept: dict) -> str:
    """The Markdown of one benchmark's JSON file."""
    about = f"`{kept['command']}` on {contest.describe(kept['machine'])}."
    tables = [contest.Table(**table).markdown() for table in kept["tables"]]
    return "\n\n".join([about, *tables]) + "\n"


def filled(text: str, results: Path) -> str:
    """A document with the tables of these results in their places."""

    def fill(place: re.Match) -> str:
        file = results / f"{place[2]}.json"
        if not file.exists():
            return place[0]
        return place[1] + section(json.loads(file.read_text())) + place[3]

    return PLACE.sub(fill, text)


def main() -> None:
    """Rewrite the document."""
    document = ROOT / "docs/performance.md"
    document.write_text(filled(document.read_text(), ROOT / "docs/results"))


if __name__ == "__main__":
    main()
