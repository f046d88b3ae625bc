"""The documentation's pictures, from the example night: `python -m tests.functional.pictures`.

They show synthetic children only. A test makes them again, so they cannot fall behind the pages.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.functional.browser import browser, opened
from tests.unit.reports.flags import examples

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
LARGEST = 250_000
#: File name, page of the publication, width and height in CSS pixels.
PICTURES = (
    ("flag-page.png", "flags/F-2026-000418.html", 1200, 1500),
    ("flag-page-phone.png", "flags/F-2026-000418.html", 360, 1500),
    ("worklist.png", "worklist.html", 1200, 900),
    ("analyst-report.png", "analyst/F-2026-000418.html", 1200, 1400),
)


def make(running, folder: Path, pages: Path) -> list[Path]:
    """Write the example's pages into `pages` and their pictures into `folder`."""
    from riskflag.reports import write_publication_pages

    folder.mkdir(parents=True, exist_ok=True)
    facts = {"authority": "Synthetic Borough", "capacity_per_week": 15}
    write_publication_pages(examples(), pages, publication=facts)
    made = []
    for name, file, width, height in PICTURES:
        with opened(running, pages / file, width=width, height=height) as page:
            page.screenshot(path=str(folder / name))
        _smaller(folder / name)
        made.append(folder / name)
    return made


def _smaller(path: Path) -> None:
    """Fewer colours: text on white needs no more than 64, and the file shrinks to a third."""
    from PIL import Image

    with Image.open(path) as image:
        image.convert("RGB").quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch, browser() as chromium:
        for picture in make(chromium, IMAGES, Path(scratch)):
            sys.stdout.write(f"{picture.name}: {picture.stat().st_size:,} bytes\n")
