import contextlib
import http.server
import socket
import threading
import time

import pytest

from keras_filtergan.data import connection


@contextlib.contextmanager
def server(status):
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("status", [200, 404])
def test_any_answer_counts(status):
    with server(status) as url:
        assert connection.is_online(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://no-such-host.invalid", "nonsense"])
def test_no_answer_is_offline(url):
    assert not connection.is_online(url, timeout=2.0)


def test_a_silent_server_costs_no_more_than_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        assert not connection.is_online(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3)
        assert time.monotonic() - begin < 2.0


def test_a_hanging_name_lookup_costs_no_more_than_the_timeout(monkeypatch):
    released = threading.Event()

    def hang(*_, **__):
        released.wait(10)
        raise OSError("gave up")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begin = time.monotonic()
    assert not connection.is_online("http://example.invalid", timeout=0.3)
    assert time.monotonic() - begin < 2.0
    released.set()
