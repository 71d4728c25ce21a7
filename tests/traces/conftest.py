"""A real browser, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")  # playwright's event loop counts as running as long as it is open, and other tests want their own
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    try:
        with chromium() as running:
            yield running
    except (ImportError, FileNotFoundError) as error:
        pytest.skip(f"The page is tested in a browser. {error}")


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
