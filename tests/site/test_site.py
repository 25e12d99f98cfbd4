"""The documentation in a browser: it loads without a complaint, no link is broken, and a phone can show it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from tests import places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Request

ROOT = Path(__file__).parents[2]
_WIDTHS = {"phone": 390, "desk": 1280}


class _Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element links to, and what it is called."""
        del tag
        values = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := values.get(name))]
        self.anchors |= {value for name in ("id", "name") if (value := values.get(name))}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does."""
    pytest.importorskip("sphinx", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "sphinx", "-W", "-n", "-q", "-b", "html", str(ROOT / "docs"), str(folder)]
    subprocess.run(argv, check=True)
    return folder


def _pages(site: Path) -> dict[str, _Page]:
    """Return the pages by their paths in the site."""
    found = {}
    for file in sorted(site.rglob("*.html")):
        page = _Page()
        page.feed(file.read_text(encoding="utf-8"))
        found[file.relative_to(site).as_posix()] = page
    return found


def test_no_link_is_broken(site: Path) -> None:
    """Every page, picture and anchor that a page of the site refers to is there."""
    pages = _pages(site)

    broken = []
    for path, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(urljoin(f"/{path}", link))
            if urlsplit(target).scheme or link.startswith(("data:", "mailto:")):
                continue
            name = unquote(urlsplit(target).path).lstrip("/")
            if not (site / name).is_file():
                broken.append(f"{path}: {link}")
            elif anchor and name in pages and unquote(anchor) not in pages[name].anchors:
                broken.append(f"{path}: {link}: no such anchor")

    assert len(pages) > 40
    assert broken == []


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site on loopback."""
    with places.served(site) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start a headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra check")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("needs Chromium")
    with api.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


def _failures(request: Request) -> list[str]:
    """Return why a request failed; one that was ended because the next page was opened did not."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


@pytest.mark.parametrize("width", _WIDTHS.values(), ids=_WIDTHS.keys())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_loads_without_a_complaint_and_fits(
    width: int, scheme: str, site: Path, address: str, browser: Browser
) -> None:
    """No error on the console, no request that fails, no picture that is not there, nothing wider than the window."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.extend(_failures(request)))

    too_wide, empty = [], []
    for path in _pages(site):
        page.goto(f"{address}/{path}", wait_until="load")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            too_wide.append(path)
        empty += page.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)")
    context.close()

    assert (complaints, too_wide, empty) == ([], [], [])
