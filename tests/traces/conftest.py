"""A real browser, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")  # playwright's event loop counts as running as long as it is open, and other tests want their own
def browser() -> Iterator[Browser]:
    """Headless Chromium: Debian's, or playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright (pip install playwright)")
    with playwright.sync_playwright() as started:
        debians = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        found = debians or started.chromium.executable_path
        if not Path(found).exists():
            pytest.skip("there is no Chromium here (apt install chromium, or playwright install chromium)")
        running = started.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page that fails the test for an error in its scripts, and for whatever it asks of a network."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    opened.on("request", lambda request: errors.append(request.url) if not request.url.startswith("file:") else None)
    opened.on("dialog", lambda dialog: errors.append(f"dialog {dialog.message}"))
    yield opened
    context.close()
    assert errors == []
