"""A MkDocs hook: adds pages from outside docs/, and makes links work on the site as well."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
# Pages of the site whose source is elsewhere in the repository.
PAGES = {
    "index.md": "README.md",
    "playground.md": "examples/playground/README.md",
    "consumers/samples.md": "examples/consumers/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "security-policy.md": "SECURITY.md",
    "changelog.md": "CHANGELOG.md",
}
# Sections of the README that the site shows as separate pages.
SECTIONS = {"api.md": "The API", "settings.md": "Settings"}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#:\s]+)(#[^)]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages from outside docs/."""
    from mkdocs.structure.files import File

    for page, content in pages().items():
        files.append(File.generated(config, page, content=content))
    return files


def pages() -> dict[str, str]:
    """Return the text of each page from outside docs/."""
    texts = {page: (ROOT / source).read_text() for page, source in PAGES.items()}
    home, sections = split(texts["index.md"], SECTIONS.values())
    return texts | {"index.md": home} | {p: sections[title] for p, title in SECTIONS.items()}


def split(text: str, titles: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the text without the sections of these titles, and each section as a page."""
    sections = {}
    for title in titles:
        start = text.index(f"\n## {title}\n") + 1
        end = text.index("\n## ", start) + 1
        sections[title] = text[start + 1 : end]
        text = text[:start] + text[end:]
    return text, sections


def on_page_markdown(text: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of one page."""
    return rewrite(text, page.file.src_uri, config.repo_url or "")


def rewrite(text: str, page: str, repository: str) -> str:
    """Return the text with each relative link pointing to a page or to the repository.

    A link to a file that is on neither becomes plain text if there is no repository URL.
    """
    source = "README.md" if page in SECTIONS else PAGES.get(page, f"docs/{page}")

    def replaced(found: re.Match[str]) -> str:
        image, label, link, anchor = found[1], found[2], found[3], found[4] or ""
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        shown = _page_of(target)
        if shown is not None:
            relative = posixpath.relpath(shown, posixpath.dirname(page) or ".")
            return f"{image}[{label}]({relative}{anchor})"
        return f"[{label}]({repository}/blob/main/{target}{anchor})" if repository else label

    return _LINK.sub(replaced, text)


def _page_of(target: str) -> str | None:
    """Return the page of the site that shows a file of the repository."""
    for page, source in PAGES.items():
        if source == target:
            return page
    if target == "docs/decisions":
        return "decisions/index.md"
    return target.removeprefix("docs/") if target.startswith("docs/") else None
