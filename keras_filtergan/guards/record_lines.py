"""Files that grow by a line of JSON at a time."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from keras_filtergan.errors import InputError
from keras_filtergan.files import naming_full_disk
from keras_filtergan.guards.reading import read_plain_file
from keras_filtergan.guards.records import LARGEST_RECORD, Kind, parse_record


def read_lines(path: Path, kind: Kind, advice: str) -> list[Any]:
    """The records of a file; none if it is not there.

    Args:
        path: of the file.
        kind: of each record; see `records.mismatch`.
        advice: what to do about a damaged one, the end of the message.

    Raises:
        InputError: a line is damaged that is not the last, which a process leaves half when it is
            killed.

    Example:
        >>> append_line(Path("lines.jsonl"), {"step": 100, "d_loss": 1.386})
        >>> read_lines(Path("lines.jsonl"), {"step": int}, "delete it")
        [{'step': 100, 'd_loss': 1.386}]
    """
    try:
        lines = read_plain_file(path, LARGEST_RECORD).splitlines()
    except FileNotFoundError:
        return []
    records = []
    for number, line in enumerate(lines, 1):
        try:
            records.append(parse_record(line, kind))
        except ValueError as error:
            if number == len(lines):
                break
            raise InputError(
                f"line {number} of {str(path)!r} is damaged ({error}); {advice}"
            ) from None
    return records


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Add a record, through to the disk.

    Raises:
        OSError: there is no space; the file is as it was.
    """
    line = f"{json.dumps(record)}\n".encode()
    with naming_full_disk(path), open(path, "ab", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            if file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(size)
            raise
