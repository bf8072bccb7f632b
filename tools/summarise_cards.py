"""Cards of several runs as one table: mean ± standard deviation over runs, baselines beside them.

    python tools/summarise_cards.py RUN [RUN …] [--json FILE]

Prints Markdown. The JSON file keeps every card that went into it.
"""

import argparse
import statistics
from pathlib import Path

from keras_filtergan.files import write_json
from keras_filtergan.runs.run_directory import open_run


def numbers(card: dict) -> dict[str, float | None]:
    """A card's numbers, one name each."""
    flat = {}
    for name, value in card.items():
        if isinstance(value, dict) and name not in ("taken_over", "baselines"):
            flat |= {f"{name}.{part}": value[part] for part in ("mean", "min") if part in value}
        elif not isinstance(value, dict):
            flat[name] = value
    return flat


def cell(values: list[float | None]) -> str:
    """Mean ± standard deviation (of the sample), or a dash where nothing was measured."""
    if None in values:
        return "–"
    mean = statistics.mean(values)
    return f"{mean:.4f}" + (f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else "")


def main() -> None:
    """Read, summarise, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--json", type=Path, help="keep the cards here")
    options = parser.parse_args()
    cards = {str(path): open_run(path).read_evaluation() for path in options.runs}
    every = [set(card.get("baselines", {})) for card in cards.values()]
    shared = set.intersection(*every)  # baselines that every run has
    order = next(iter(cards.values())).get("baselines", {})
    titles = ["generator", *(title for title in order if title in shared)]
    columns = {
        title: [
            numbers(card if title == "generator" else card["baselines"][title])
            for card in cards.values()
        ]
        for title in titles
    }
    print(f"| | {' | '.join(titles)} |")
    print("|---" * (len(titles) + 1) + "|")
    for name in columns["generator"][0]:
        cells = [cell([one.get(name) for one in columns[title]]) for title in titles]
        print(f"| `{name}` | {' | '.join(cells)} |")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        write_json(options.json, cards)


if __name__ == "__main__":
    main()
