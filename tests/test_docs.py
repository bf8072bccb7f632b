"""README and docs: links and anchors lead somewhere, and commands are those that there are."""

import argparse
import configparser
import re
import runpy
import subprocess
import sys

import pages
import pytest
from pages import DOCS, PAGES, ROOT, anchors, blocks, links, prose

from keras_filtergan.cli import module, train, visualize

ADDERS = {
    "train.py": train._add_options,
    "visualize.py": visualize._add_options,
    "keras_filtergan": module._add_commands,
}
EXTRAS = configparser.ConfigParser()
EXTRAS.read(ROOT / "setup.cfg")


def each_page():
    return pytest.mark.parametrize("page", PAGES, ids=pages.name)


def all_commands() -> list:
    """Every command of every block that is run, and of the prose, once."""
    found = {}
    for page in PAGES:
        for block in blocks(page, "sh"):
            for words in pages.commands(block.text) if block.is_run else []:
                found.setdefault(tuple(words), page)
        for words in pages.spans(page):
            found.setdefault(tuple(words), page)
    return [
        pytest.param(list(words), id=f"{pages.name(page)}: {' '.join(words)[:60]}")
        for words, page in found.items()
    ]


COMMANDS = all_commands()


@each_page()
def test_links_and_anchors_lead_somewhere(page):
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target), f"{path}#{anchor}"


def test_a_link_that_leads_nowhere_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    text = "# One, two\n```sh\n[a](b)\n```\n[a](#one-two) [b](#two) [c](other.md#x) [d](http://e)"
    page.write_text(text)
    assert links(page) == [("", "one-two"), ("", "two"), ("other.md", "x")]
    assert anchors(page) == {"one-two"}


def test_the_index_of_the_notes_has_every_entry_in_order():
    """But the newest, which may wait for their line; none is on both pages."""
    notes, archive = DOCS / "notes" / "experiments.md", DOCS / "notes" / "experiments_archive.md"
    held = {page: re.findall(r"^## (\d+)\. ", prose(page), re.MULTILINE) for page in PAGES}
    entries = sorted(map(int, held[notes] + held[archive]))
    assert entries == list(range(1, len(entries) + 1))
    row = r"^\| \[(\d+)\]\((experiments\w*\.md|)#entry-(\d+)\) \| (.{20,}) \|$"
    index = re.findall(row, prose(notes), re.MULTILINE)
    assert [int(number) for number, *_ in index] == entries[: max(38, len(index))]
    old = re.findall(row, prose(archive), re.MULTILINE)
    assert [number for number, *_ in old] == held[archive]
    lines = {number: line for number, _, _, line in index}
    for number, path, anchor, line in [*index, *old]:
        assert number == anchor
        assert lines[number] == line
        assert number in held[archive] or (not path and number in held[notes])


def test_every_block_has_a_known_language_or_says_that_it_is_not_run():
    for page in PAGES:
        for block in blocks(page):
            known = block.language in ("sh", "python", "text", "bibtex")
            assert known or not block.is_run, block.text
        assert prose(page).count("```") == 0, page


def test_there_are_commands_to_check():
    said = [" ".join(one.values[0]) for one in COMMANDS]
    for part in ("train.py", "visualize.py", "-m keras_filtergan", "keras-filtergan", "benchmarks"):
        assert sum(part in one for one in said) >= 2
    assert len(said) > 60
    few = [block for page in PAGES for block in blocks(page) if not block.is_run]
    assert len(few) <= 5


class Parsed(Exception):
    """The parser of a script took its words."""


def parse_script(words: list[str], monkeypatch) -> None:
    """What a script of ours does with its words, up to the end of its parsing."""
    parse = argparse.ArgumentParser.parse_args

    def stop(self, *args):
        parse(self, *args)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.syspath_prepend(str((ROOT / words[0]).parent))
    try:
        with pytest.raises(Parsed):
            runpy.run_path(str(ROOT / words[0]), run_name="__main__")
    except ModuleNotFoundError as error:
        pytest.skip(f"needs {error.name}")


def check_other(words: list[str]) -> None:
    """Commands of other programs: files, extras and tools that they name are there."""
    programs = ("venv", "pip", "ruff", "pyright", "mkdocs", "pytest", "pre-commit")
    of_ours = (ROOT / words[0]).is_file()  # tests/…: it has no parser
    assert of_ours or words[0].rsplit("/", 1)[-1] in programs, words
    for extra in re.findall(r"\.\[(\w+)\]", " ".join(words)):
        assert extra in EXTRAS["options.extras_require"]
    for word in words[1:]:
        if re.match(r"(tests|tools|benchmarks)/", word):
            assert (ROOT / word).exists(), word


def parse(name: str, words: list[str]) -> None:
    """By the parser of the command; where only its name is written, there must be such a one."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    ADDERS[name](parser)
    if "--help" in words or not any(word.startswith("-") for word in words[1:]):
        with pytest.raises(SystemExit, match="0"):
            parser.parse_args([*words, "--help"])
    else:
        parser.parse_args(words)


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_have_the_options_that_are_written(words, monkeypatch):
    if words[0].rsplit("/", 1)[-1] in ("python", "python3") and words[1:2] != ["-m"]:
        words = words[1:]
    if words[1:3] == ["-m", "keras_filtergan"] or words[0] == "keras-filtergan":
        words = ["keras_filtergan", *words[3 if words[1] == "-m" else 1 :]]
    elif words[1:2] == ["-m"]:
        words = words[2:]
    if words[0] in ADDERS:
        parse(words[0], words[1:])
    elif words[0] == "tools/performance_tables.py":
        assert (ROOT / words[0]).exists()
        assert len(words) == 1
    elif words[0].startswith(("benchmarks/", "tools/")):
        parse_script(words, monkeypatch)
    else:
        check_other(words)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    api = (tmp_path / "site" / "api" / "index.html").read_text()
    assert "&gt;&gt;&gt; " in api or '<span class="gp">' in api  # examples are sessions
    assert "<blockquote>" not in api
