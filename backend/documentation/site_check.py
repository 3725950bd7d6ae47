"""Looks through a built site: links inside it lead somewhere, nothing is loaded from elsewhere.

    python backend/documentation/site_check.py FOLDER

MkDocs checks links between pages; this reads what was built, images, scripts and raw HTML included.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
FEWEST_PAGES = 50


@dataclass
class Page(HTMLParser):
    """Names that can be linked to, links, and addresses that are loaded without a click."""

    names: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.names |= {name for name in (found.get("id"), found.get("name")) if name}
        if tag == "a" and (href := found.get("href")):
            self.links.append(href)
        if (address := found.get(LOADING.get(tag, ""))) and found.get("rel") != "canonical":
            self.loaded.append(address)


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def is_elsewhere(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def find_target(page: Path, address: str, site: Path) -> Path:
    """Return the file that an address on a page leads to."""
    path = unquote(urlsplit(address).path)
    if not path:
        return page
    target = site / path.lstrip("/") if path.startswith("/") else page.parent / path
    target = target.resolve()
    return target / "index.html" if target.is_dir() else target


def find_faults(site: Path) -> list[str]:
    """Return what is wrong with the site, one line each."""
    site = site.resolve()
    pages = {path: read_page(path) for path in sorted(site.rglob("*.html"))}
    faults = []
    if len(pages) < FEWEST_PAGES:
        faults.append(f"only {len(pages)} pages were built")
    for path, page in pages.items():
        if path.name == "404.html":  # its addresses are those of the server's root
            continue
        name = path.relative_to(site)
        faults += [f"{name} loads {it} from elsewhere" for it in page.loaded if is_elsewhere(it)]
        for address in page.loaded + page.links:
            if is_elsewhere(address):
                continue
            target = find_target(path, address, site)
            fragment = unquote(urlsplit(address).fragment)
            if not target.is_file():
                faults.append(f"{name} links to {address}, which is not there")
            elif fragment and target in pages and fragment not in pages[target].names:
                faults.append(f"{name} links to {address}, a heading that is not there")
    return faults


def main(folder: str) -> int:
    faults = find_faults(Path(folder))
    print("\n".join(faults) or f"No dead link in {folder}.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
