"""A health check for containers, which have no curl: ``python -m app.supervisor.probe URL``."""

import sys
import urllib.error
import urllib.request


def answers(url: str, timeout_seconds: float = 5.0) -> bool:
    """Whether a GET there succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as response:
            return bool(response.status < 400)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
