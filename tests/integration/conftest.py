from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import places
from tests.integration import wheelhouse
from tests.integration.bench import Bench, Workshop, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Build what the session shares (each worker of xdist for itself)."""
    folder = tmp_path_factory.mktemp("workshop")
    return Workshop(folder=folder, house=wheelhouse.built(folder / "wheelhouse"))


@pytest.fixture
def bench(workshop: Workshop, tmp_path: Path) -> Iterator[Bench]:
    """Yield what a test works with; afterwards every host is as it was, and nothing but logs is left over."""
    made = Bench(folder=tmp_path, workshop=workshop)
    made.scratch.mkdir()
    yield made
    for host, before in made.watched:
        after = fingerprint(host.folder)
        assert after == before, f"the host {host} was written to"
    assert [path.name for path in made.scratch.iterdir() if path.suffix != ".log"] == []


@pytest.fixture(params=["pip", "uv"])
def installer(request: pytest.FixtureRequest) -> str:
    """Name an installer: a test that asks for it runs with both."""
    return str(request.param)


@pytest.fixture
def served(bench: Bench) -> Iterator[str]:
    """Serve the test's folder `pages` on loopback."""
    pages = bench.folder / "pages"
    pages.mkdir()
    with places.served(pages) as address:
        yield address
