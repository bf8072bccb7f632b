"""One process at a time, and what a dead one leaves."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from keras_filtergan.guards import locks
from keras_filtergan.guards.locks import Busy, locked
from keras_filtergan.guards.stops import Interrupted, StopRequest, termination_as_interruption

HOLD = """
import sys, pathlib
from keras_filtergan.guards.locks import locked
with locked(pathlib.Path(sys.argv[1]), "the run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until its input ends."""
    words = [sys.executable, "-c", HOLD, tmp_path / "lock"]
    with subprocess.Popen(words, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_told_who_is_first(tmp_path, holder):
    with (
        pytest.raises(Busy, match=rf"the run is worked on by process {holder.pid} on .* since 20"),
        locked(tmp_path / "lock", "the run"),
    ):
        raise AssertionError
    holder.stdin.close()
    holder.wait()
    assert not (tmp_path / "lock").exists()
    with locked(tmp_path / "lock", "the run"):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    assert not (tmp_path / "lock").exists()


def test_a_dead_owner_has_let_go(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "lock").exists()  # a stale lock
    lines = []
    with locked(tmp_path / "lock", "the run", say=lines.append):
        pass
    assert f"by process {holder.pid} on {socket.gethostname()}" in lines[0]
    assert "has ended without finishing; going on" in lines[0]


def test_who_waits_goes_on_when_the_other_is_done(tmp_path, holder):
    lines = []
    threading.Timer(0.3, holder.stdin.close).start()
    with locked(tmp_path / "lock", "the classifier", wait=True, say=lines.append):
        assert holder.wait(1) == 0
    assert "; waiting for it" in lines[0]


def test_without_locks_of_the_system_the_file_has_to_do(tmp_path, monkeypatch, holder):
    monkeypatch.setattr(locks, "fcntl", None)
    with pytest.raises(Busy), locked(tmp_path / "lock", "the run"):
        raise AssertionError
    holder.kill()
    holder.wait()
    with locked(tmp_path / "lock", "the run", say=lambda line: None):
        pass


def test_threads_shut_each_other_out(tmp_path):
    counts = {"inside": 0, "most": 0}

    def work():
        for _ in range(5):
            with locked(tmp_path / "lock", "it", wait=True, say=lambda line: None):
                counts["inside"] += 1
                counts["most"] = max(counts["most"], counts["inside"])
                time.sleep(0.001)
                counts["inside"] -= 1

    locks_look = locks.LOOK_AGAIN
    locks.LOOK_AGAIN = 0.001
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    finally:
        locks.LOOK_AGAIN = locks_look
    assert counts == {"inside": 0, "most": 1}


def test_termination_is_an_interruption_of_its_own_number():
    with pytest.raises(KeyboardInterrupt) as caught:
        terminated()
    assert isinstance(caught.value, Interrupted)
    assert caught.value.signum == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_first_request_waits_and_the_second_does_not(signum):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored here
    noted = []
    with pytest.raises(KeyboardInterrupt):
        stopped_twice(signum, noted)
    signal.signal(signal.SIGINT, before)
    assert noted == [False, True]


def terminated():
    with termination_as_interruption():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


def stopped_twice(signum, noted):
    with termination_as_interruption(), StopRequest() as request:
        noted.append(bool(request))
        os.kill(os.getpid(), signum)
        noted.append(request.signum == signum)
        os.kill(os.getpid(), signum)
        time.sleep(1)
        noted.append("too late")
