"""Chromium for the tests of the pages: found on the machine, or the test skips and says why."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Where Chromium is; a skip with the reason when there is none."""
    found = os.environ.get("RISKFLAG_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no Chromium on this machine; install it or set RISKFLAG_CHROMIUM to it")
    return found


@contextlib.contextmanager
def browser() -> Iterator[object]:
    """A headless Chromium that is closed at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        try:
            yield running
        finally:
            running.close()


@contextlib.contextmanager
def opened(running, file: Path, *, width: int = 1280, height: int = 900, **media) -> Iterator:
    """A page of the browser showing a file; what it asks for, first the file itself, is kept.

    A new context costs several times what such a page costs: pages that are seen as everybody
    sees them, and that keep nothing, share one.
    """
    context = running.new_context(**media) if media or not running.contexts else running.contexts[0]
    page = context.pages[0] if context.pages else context.new_page()
    asked: list[str] = []

    def note(request) -> None:
        asked.append(request.url)

    try:
        page.goto("about:blank")
        page.emulate_media(media="null")
        page.set_viewport_size({"width": width, "height": height})
        page.on("request", note)
        page.goto(file.as_uri())
        page.asked = asked
        yield page
    finally:
        page.remove_listener("request", note)
        if media:
            context.close()


def paper(page, target: Path) -> int:
    """Print the page to PDF on A4; how many sheets it takes."""
    data = page.pdf(path=str(target), prefer_css_page_size=True)
    return data.count(b"/Type /Page\n") + data.count(b"/Type /Page ")
