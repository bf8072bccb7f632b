"""Memory is asked for when it is known that there is enough."""

import contextlib
import os
import re
from pathlib import Path

from keras_filtergan.errors import InputError

SHARE = 0.75  # of what the machine has
UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

_chosen: int | None = None  # of the whole process, as memory is


def limit_memory(size: int | None) -> None:
    """Set how many bytes one thing may need; `None` for `SHARE` of what the machine has."""
    global _chosen
    _chosen = size


def memory_limit() -> int:
    """Bytes that one thing may need."""
    return _chosen if _chosen is not None else int(SHARE * machine_memory())


def machine_memory() -> int:
    """Bytes that this process can have at most: of the machine, or of its container."""
    sizes = [2**63 - 1]
    with contextlib.suppress(ValueError, OSError, AttributeError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in _CGROUPS:
        with contextlib.suppress(ValueError, OSError):  # "max"; no such file
            sizes.append(int(Path(path).read_text()))
    return min(sizes)


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse what would need more memory than it may have, before it is asked for.

    Args:
        needed: bytes.
        what: needs them.
        advice: what to do, the end of the message.

    Raises:
        InputError: says what would be needed.

    Example:
        >>> check_memory(2**50, "the arrays of digits.npz", "take fewer images")
        Traceback (most recent call last):
            ...
        InputError: the arrays of digits.npz would need 1,024 TiB of memory, the limit is ...
    """
    limit = memory_limit()
    if needed > limit:
        raise InputError(
            f"{what} would need {shown(needed)} of memory, the limit is {shown(limit)}; {advice}, "
            "or set a higher `memory_limit`"
        )


def parse_size(text: str) -> int:
    """Bytes from a text such as `500M` or `1.5G`.

    Raises:
        ValueError: it is none.

    Example:
        >>> parse_size("1.5G")
        1610612736
    """
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.I)
    if not found or not float(found[1]):
        raise ValueError(f"expected a size such as 500M or 16G, received {text!r}")
    return int(float(found[1]) * UNITS[found[2].upper()])


def shown(size: int) -> str:
    """A number of bytes as people say it."""
    for unit in ("T", "G", "M"):
        if size >= UNITS[unit]:
            number = size / UNITS[unit]
            return f"{number:,.0f} {unit}iB" if number >= 100 else f"{number:.1f} {unit}iB"
    return f"{size:,} bytes"
