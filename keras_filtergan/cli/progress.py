"""How far a long piece of work has come: one line that changes on a terminal, else a few lines."""

import sys
import time
from typing import TextIO

TERMINAL_INTERVAL = 0.1  # seconds between changes of a line on a terminal
LONG = 60.0  # seconds from which a phase is long, and between lines elsewhere
ENOUGH = 20  # steps after which the time of a phase is known
BAR = 16  # letters
INTERVAL = 10.0  # seconds between lines where a line cannot be overwritten


class Progress:
    """Says how many images are done, how many were kept, how fast it goes and what is left.

    Args:
        total: images in all.
        stream: where to say it; `sys.stdout` if not given.

    Example:
        >>> progress = Progress(256)
        >>> progress.advance(256, kept=250, is_new=True)
        256 of 256 images, 250 kept, ... images/s
    """

    def __init__(self, total: int, stream: TextIO | None = None):
        self.total = total
        self.stream = sys.stdout if stream is None else stream
        self.done = self.kept = self.new = 0
        self.start = self.said = time.monotonic()
        self.is_within_line = False

    def advance(self, done: int, kept: int, is_new: bool) -> None:
        """Count images; those that had been done before this process are no sign of speed."""
        self.done += done
        self.kept += kept
        self.new += done if is_new else 0
        now = time.monotonic()
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{self._line(now)}")
            self.is_within_line = True
        elif self.done == self.total or now - self.said >= INTERVAL:
            self.stream.write(f"{self._line(now)}\n")
            self.said = now
        self.stream.flush()

    def close(self) -> None:
        """Leave the line that was being overwritten."""
        if self.is_within_line:
            self.stream.write("\n")
            self.stream.flush()
            self.is_within_line = False

    def _line(self, now: float) -> str:
        line = f"{self.done:,} of {self.total:,} images, {self.kept:,} kept"
        if not self.new:
            return line
        rate = self.new / max(now - self.start, 1e-9)
        some = _time((self.total - self.done) / rate)
        return f"{line}, {rate:.1f} images/s" + (f", {some} left" if self.done < self.total else "")


class StepProgress:
    """Says what begins, how many steps are done and what time is left.

    On a terminal in one line that changes; elsewhere a line when something else begins.

    Args:
        stream: where to say it; `sys.stdout` if not given.

    Example:
        >>> progress = StepProgress()
        >>> progress("L2 attacks on real kernels", 6, 110)  # and on a terminal the time left
        L2 attacks on real kernels
    """

    def __init__(self, stream: TextIO | None = None):
        self.stream = sys.stdout if stream is None else stream
        self.start = time.monotonic()
        self.what = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say that the step after so many of `total` begins."""
        if self.stream.isatty():
            line = f"{what}: {done} of {total} steps"
            if done:
                rest = (time.monotonic() - self.start) / done * (total - done)
                line += f", {_time(rest)} left"
            self.stream.write(f"\r\x1b[K{line}")
        elif what != self.what:
            self.stream.write(f"{what}\n")
        self.what = what
        self.stream.flush()

    def close(self) -> None:
        """Wipe the line that was being overwritten."""
        if self.what and self.stream.isatty():
            self.stream.write("\r\x1b[K")
            self.stream.flush()


class PhaseProgress:
    """Says how far a run is: phase by phase, with the figures that matter and the time left.

    On a terminal in one line that changes. Elsewhere when a phase begins, at most once a minute
    meanwhile, and when it ends. A phase that will take over a minute says so once it is known.

    Args:
        stream: where to say it; `sys.stdout` if not given.

    Example:
        >>> progress = PhaseProgress()
        >>> progress("evaluating", 12, 12, "natural_share (1 s)")
        evaluating: 12 of 12, natural_share (1 s)
    """

    def __init__(self, stream: TextIO | None = None):
        self.stream = sys.stdout if stream is None else stream
        self.what = ""
        self.first, self.begun, self.said = 0, 0.0, 0.0
        self.has_told = False

    def __call__(self, what: str, done: int, total: int, note: str = "") -> None:
        """So many of `total` steps are done."""
        now = time.monotonic()
        if what != self.what:  # what was done before, by an interrupted run, is no sign of speed
            self.close()
            self.what, self.first, self.begun, self.said = what, done, now, now - LONG
            self.has_told = False
        made = done - self.first
        left = (now - self.begun) / made * (total - done) if made else None
        if left is not None and not self.has_told and made >= ENOUGH:
            self.has_told = True
            if left > LONG:
                self._write(f"{what}: {total - done:,} steps will take about {_time(left)}\n")
        interval = TERMINAL_INTERVAL if self.stream.isatty() else LONG
        if done == total or now - self.said >= interval:
            self.said = now
            line = f"{what}: {done:,} of {total:,}" + (f", {note}" if note else "")
            line += f", {_time(left)} left" if left and done < total else ""
            self._write(f"{self._bar(done / total)}{line}" if self.stream.isatty() else f"{line}\n")
        if done == total:
            self.close()  # what others say next stands in a line of its own

    def close(self) -> None:
        """Leave the line that was being overwritten."""
        if self.what and self.stream.isatty():
            self.stream.write("\n")
            self.stream.flush()
        self.what = ""

    def _write(self, text: str) -> None:
        self.stream.write(f"\r\x1b[K{text}" if self.stream.isatty() else text)
        self.stream.flush()

    def _bar(self, share: float) -> str:
        full = round(BAR * share)
        return f"[{'█' * full}{'·' * (BAR - full)}] "


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
