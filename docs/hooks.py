"""Lets mkdocs build the site from the repository as it is: the README is its home, and what pages link to outside of docs/ comes along."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"(\]\()([^)#\s:]+)((?:#[^)\s]*)?\))")
"""A link or a picture, by its path: neither an address nor an anchor alone."""


def on_config(config: MkDocsConfig) -> None:
    """Puts a folder's pages in its place in the navigation."""
    config.nav = _with_folders(config.nav)


def _with_folders(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_with_folders(item) for item in nav]
    if isinstance(nav, dict):
        return {title: _with_folders(item) for title, item in nav.items()}
    return [str(page.relative_to(DOCS)) for page in sorted((DOCS / nav).glob("*.md"))] if nav.endswith("/") else nav


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Adds the README, and what can be reached from it by links and lies outside of docs/, under its path in the repository."""
    known = {Path(file.abs_src_path) for file in files if file.abs_src_path}
    left = [ROOT / "README.md", *(file for file in known if file.suffix == ".md")]
    while left:
        page = left.pop()
        if page not in known:
            known.add(page)
            files.append(File.generated(config, str(page.relative_to(ROOT)), abs_src_path=str(page)))
        left += [target for _, target in _linked(page) if target not in known and target.is_file()]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links within the repository into links within the site."""
    source = page.file.abs_src_path
    if source is None or not source.endswith(".md"):
        return markdown
    here = _place(Path(source)).parent
    moved = {link: os.path.relpath(_place(target), here) for link, target in _linked(Path(source))}
    return LINK.sub(lambda found: found[1] + moved.get(found[2], found[2]) + found[3], markdown)


def _linked(page: Path) -> list[tuple[str, Path]]:
    """The links of a page that lead to something in the repository; for a folder, to its first page."""
    if page.suffix != ".md":
        return []
    found = []
    for _, link, _ in LINK.findall(page.read_text(encoding="utf-8")):
        target = Path(os.path.normpath(page.parent / link))
        if target.is_dir():
            target = min(target.glob("*.md"), default=target)
        if target.exists():
            found.append((link, target))
    return found


def _place(file: Path) -> Path:
    """Where a file of the repository lies in the site's sources."""
    return file.relative_to(DOCS if file.is_relative_to(DOCS) else ROOT)
