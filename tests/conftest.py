"""What a machine has decides which tests it runs; the reason for each skip is printed."""

from __future__ import annotations

import os
import signal

import pytest

for _name in ("SIGINT", "SIGHUP"):  # a shell's background program ignores them, and so would all that the tests start
    if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an index, or a host with torch, where the environment does not say that there is one."""
    network = pytest.mark.skip(reason="needs a package index: set TEST_WITH_NETWORK=1")
    torch = pytest.mark.skip(reason="needs a host with torch: name it in TEST_TORCH_HOST")
    for item in items:
        if item.get_closest_marker("network") and not os.environ.get("TEST_WITH_NETWORK"):
            item.add_marker(network)
        if item.get_closest_marker("torch") and not os.environ.get("TEST_TORCH_HOST"):
            item.add_marker(torch)
