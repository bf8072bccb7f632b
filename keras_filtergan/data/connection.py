"""Is there a network? Asked before a download, since TFDS retries for minutes without one."""

import threading
import urllib.error
import urllib.request

PROBE_URL = "https://storage.googleapis.com"  # where TFDS keeps MNIST and many others


def is_online(url: str = PROBE_URL, timeout: float = 5.0) -> bool:
    """Tells whether `url` answers at all, within `timeout` seconds, through proxies if set.

    Any HTTP answer counts, an error page too. The question is asked in a thread of its own,
    because the look-up of a host name ignores every timeout and can hang by itself.

    Example:
        >>> is_online("http://127.0.0.1:9", timeout=1.0)
        False
    """
    answers: list[bool] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            with urllib.request.urlopen(request, timeout=timeout):
                answers.append(True)
        except urllib.error.HTTPError as error:
            error.close()
            answers.append(True)
        except (OSError, ValueError):  # no route, no name, refused, timed out; a broken URL
            answers.append(False)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return answers == [True]
