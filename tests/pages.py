"""README and docs as data: pages, links, headings, blocks of code, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`((?:[A-Z_]+=\S+ )?(?:python3?|keras-filtergan)\s[^`]+)`")
LINK = re.compile(r"\]\(([^()\s]+)\)")
NOT_RUN = re.compile(r"\(Not\s+run\s+by\s+the\s+tests:\s[^)]{5,}\)\s*$")
PLACES = {"S": "0", "N": "4", "runs/mnist-layer4-seedS": "runs/mnist-layer4-seed0"}


@dataclass(frozen=True)
class Block:
    """Fenced code: its page, language and text, and whether the page says that nothing runs it."""

    page: Path
    language: str
    text: str
    is_run: bool


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str | None = None) -> list[Block]:
    text = page.read_text()
    found = [
        Block(page, match[1], match[2], not NOT_RUN.search(text[: match.start()].rstrip()))
        for match in FENCE.finditer(text)
    ]
    return [block for block in found if language in (None, block.language)]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def links(page: Path) -> list[tuple[str, str]]:
    """Path and anchor of each link that stays here; either may be empty."""
    found = [target for target in LINK.findall(prose(page)) if not re.match(r"\w+:", target)]
    return [(path, anchor) for path, _, anchor in (target.partition("#") for target in found)]


def anchors(page: Path) -> set[str]:
    """What `#…` can lead to on GitHub and on the site alike."""
    text = prose(page)
    found = set(re.findall(r'<a id="([^"]+)"></a>', text))
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        if plain.isascii() and "  " not in plain:  # else the two make other names of it
            found.add(plain.replace(" ", "-"))
    return found


def commands(text: str) -> list[list[str]]:
    """The words of each command, without variables that are set for it."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while "&&" in words:
            found.append(words[: words.index("&&")])
            words = words[words.index("&&") + 1 :]
        found.append(words)
    return [one for one in map(_without_variables, found) if one]


def _without_variables(words: list[str]) -> list[str]:
    while words and (re.match(r"[A-Z_]+=", words[0]) or words[0] in ("nice", "export")):
        words = words[1:]
    return [PLACES.get(word, word) for word in words]


def spans(page: Path) -> list[list[str]]:
    """The commands in the prose of a page, but for those with `…` in them."""
    found = (" ".join(text.split()) for text in SPAN.findall(prose(page)))
    return [words for text in found if "…" not in text for words in commands(text)]
