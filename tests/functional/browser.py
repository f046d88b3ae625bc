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
    """A page of the browser showing a file; requests to anywhere else are refused and kept."""
    context = running.new_context(viewport={"width": width, "height": height}, **media)
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    try:
        page.goto(file.as_uri())
        yield page
    finally:
        context.close()


def paper(page, target: Path) -> int:
    """Print the page to PDF on A4; how many sheets it takes."""
    data = page.pdf(path=str(target), prefer_css_page_size=True)
    return data.count(b"/Type /Page\n") + data.count(b"/Type /Page ")
