"""The pages in a real browser: accessible, offline, on a phone, on paper, by keyboard alone."""

from __future__ import annotations

import json

import pytest

from riskflag.reports import render_flag, view, write_publication_pages
from tests.functional.browser import browser, opened, paper
from tests.functional.pictures import IMAGES, LARGEST, PICTURES, make
from tests.unit.reports.flags import examples, long_flag

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [
    "worklist.html",
    "index.html",
    "flags/F-2026-000151.html",
    "flags/F-2026-000207.html",
    "flags/F-2026-000418.html",
    "flags/F-2026-000419.html",
    "flags/F-2026-000900.html",
    "analyst/F-2026-000418.html",
]
each_page = pytest.mark.parametrize("name", PAGES)


@pytest.fixture(scope="module")
def running():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("publication")
    heavy = {**long_flag(45, reasons=3), "flag_id": "F-2026-000900"}
    write_publication_pages([*examples(), heavy], folder, publication={"capacity_per_week": 15})
    return folder


def violations(page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA and its own best practices."""
    from axe_playwright_python.sync_playwright import Axe

    # What passes is counted, not listed node by node: that took longer than the checks themselves.
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response
    assert len(found["passes"]) > 15, "axe-core checked next to nothing"
    return [f"{v['id']}: {[n['html'][:120] for n in v['nodes']][:3]}" for v in found["violations"]]


@each_page
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_core_finds_no_violation(running, pages, name, width):
    """WCAG 2.2 AA and best practices, wide and on a phone: none broken."""
    with opened(running, pages / name, width=width) as page:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert violations(page) == []


def test_axe_core_sees_a_fault(running, pages, tmp_path):
    """Negative control: a page without its language and with pale text is found."""
    html = (pages / PAGES[4]).read_text()
    broken = html.replace(' lang="en-GB"', "").replace("--soft: #4b5c65", "--soft: #c9d2d6")
    (tmp_path / "broken.html").write_text(broken)
    with opened(running, tmp_path / "broken.html") as page:
        found = " ".join(violations(page))
    assert "html-has-lang" in found
    assert "color-contrast" in found


@each_page
def test_the_page_asks_nobody_for_anything(running, pages, name):
    """One request: the file itself."""
    with opened(running, pages / name) as page:
        page.wait_for_load_state("networkidle")
        assert page.asked == [(pages / name).as_uri()]


@each_page
@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_is_wider_than_the_window(running, pages, name, width):
    """Reflow at 320 px (400% zoom of 1280): no sideways scrolling of the page, no cut text."""
    with opened(running, pages / name, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = page.evaluate(
            """() => [...document.querySelectorAll('main p, main li, main td, main dd, main h3')]
            .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1)
            .filter(e => getComputedStyle(e).display !== 'inline')
            .map(e => e.outerHTML.slice(0, 90))"""
        )
        assert cut == []


@pytest.mark.parametrize(("contacts", "reasons"), [(5, 1), (18, 4), (28, 6), (60, 8), (900, 12)])
def test_a_flag_prints_on_four_sheets_at_most(running, tmp_path, contacts, reasons):
    """A4, whatever the length of the chronology."""
    file = tmp_path / "flag.html"
    file.write_text(render_flag(view(long_flag(contacts, reasons=reasons, in_pattern=contacts))))
    with opened(running, file) as page:
        sheets = paper(page, tmp_path / "flag.pdf")
    assert 1 <= sheets <= 4


def test_the_examples_print_on_four_sheets_at_most_with_everything_on_them(
    running, pages, tmp_path
):
    """Versions, closed on screen, are open on paper; what only serves the screen is not."""
    for name in PAGES[2:6]:
        with opened(running, pages / name) as page:
            assert 1 <= paper(page, tmp_path / "flag.pdf") <= 4
            page.emulate_media(media="print")
            shown = page.evaluate(
                """() => ({versions: document.querySelector('.about').offsetHeight,
                toc: getComputedStyle(document.querySelector('.toc')).display,
                boxes: document.querySelectorAll('.boxes li').length})"""
            )
        assert shown["versions"] > 20
        assert shown["toc"] == "none"
        assert shown["boxes"] == 16


def test_by_keyboard_alone_a_reader_reaches_the_records_behind_a_pattern(running, pages):
    """Skip link first, then a pattern, then a record of it; the focus can always be seen."""
    with opened(running, pages / PAGES[4]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
        assert page.evaluate("document.activeElement.getBoundingClientRect().height") > 20
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#pattern-1"
        style = "getComputedStyle(document.activeElement)"
        assert page.evaluate(f"{style}.outlineStyle") == "solid"
        page.keyboard.press("Enter")
        for _ in range(3):
            page.keyboard.press("Tab")
        reference = page.evaluate("document.activeElement.getAttribute('href')")
        assert reference.startswith("#r")
        page.keyboard.press("Enter")
        assert page.evaluate(f"document.querySelector('{reference}').matches(':target')")


def test_a_long_chronology_opens_without_a_script(running, pages):
    """20 records first; the box shows all 45, in one table, and a link finds a hidden one."""
    rows = "[...document.querySelectorAll('.recs tbody tr[id]')]"
    count = f"{rows}.filter(r => r.offsetHeight).length"
    with opened(running, pages / "flags/F-2026-000900.html") as page:
        assert page.evaluate(count) == 20
        page.locator("#all-records").focus()
        page.keyboard.press("Space")
        assert page.evaluate(count) == 45
        page.keyboard.press("Space")
        page.evaluate("location.hash = '#r40'")
        assert page.evaluate(count) == 21


def test_every_target_is_large_enough_to_hit(running, pages):
    """WCAG 2.2, 2.5.8: links and boxes are at least 24 by 24 pixels or stand within a sentence."""
    with opened(running, pages / "flags/F-2026-000900.html", width=320) as page:
        small = page.evaluate(
            """() => [...document.querySelectorAll('.refs a, .tick-all input, summary, .toc a')]
            .map(e => e.getBoundingClientRect())
            .filter(r => r.width < 24 || r.height < 24).length"""
        )
    assert small == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_forced_colours_the_marks_can_still_be_told_apart(running, pages, scheme):
    """High contrast modes: shapes keep an outline that differs from the ground."""
    media = {"forced_colors": "active", "color_scheme": scheme}
    with opened(running, pages / PAGES[4], **media) as page:
        colours = page.evaluate(
            """() => { const g = getComputedStyle(document.body).backgroundColor;
            return ['.pattern', '.other', '.gap', '.rail'].map(s => {
              const c = getComputedStyle(document.querySelector(s));
              return [c.fill !== g && c.fill !== 'none' || c.stroke !== g, g]; }) }"""
        )
    assert all(differs for differs, _ in colours), json.dumps(colours)


def test_without_colour_the_page_still_says_everything(running, pages):
    """Greyscale: marks differ by shape, and every mark in a row is a word."""
    with opened(running, pages / PAGES[4]) as page:
        shapes = page.evaluate(
            "[...new Set([...document.querySelectorAll('.time g use')]"
            ".map(u => u.getAttribute('href')))]"
        )
        tags = page.evaluate(
            "[...document.querySelectorAll('.tag')].every(t => t.innerText.trim())"
        )
    assert set(shapes) >= {"#m-pattern", "#m-other"}
    assert tags


def test_the_pictures_of_the_documentation_are_made_again(running, tmp_path):
    """Each is a real picture of the page as it is now, small enough to be kept."""
    made = make(running, tmp_path / "images", tmp_path / "pages")
    assert [path.name for path in made] == [name for name, *_ in PICTURES]
    for path in made:
        assert 5_000 < path.stat().st_size <= LARGEST
        assert (IMAGES / path.name).is_file(), "run python -m tests.functional.pictures"
