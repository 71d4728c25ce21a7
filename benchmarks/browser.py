"""A headless Chromium: Debian's, or playwright's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Runs it inside the block.

    Raises:
        ImportError: playwright isn't installed.
        FileNotFoundError: there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        debians = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        found = debians or started.chromium.executable_path
        if not Path(found).exists():
            raise FileNotFoundError("There is no Chromium here (apt install chromium, or playwright install chromium).")
        running = started.chromium.launch(executable_path=found, args=FLAGS)
        try:
            yield running
        finally:
            running.close()
