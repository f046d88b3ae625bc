"""Flags as files: small, on four sheets, in batches, without a network, and ready to come back."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from conftest import riskflag_environment
from riskflag.cli.init import write_users
from riskflag.reports.lint import banned_words, long_sentences, visible_text
from riskflag.reports.offline import form_text, offline_form
from riskflag.reports.offline_batch import batch_page
from riskflag.reports.pages import LARGEST, flag_page
from tests.functional.browser import browser, opened, paper
from tests.functional.test_pages_in_browser import violations
from tests.functional.test_reviews_import import fill
from tests.unit.reports.flags import long_flag

CODE = "7KQF-2M9P-XR4T"


@pytest.fixture(scope="module")
def flags(demo_folder):
    """The flags of the demo, those with most on their page last."""
    pointer = (demo_folder / "workspace/publications/CURRENT").read_text().strip()
    found = json.loads((demo_folder / f"workspace/publications/{pointer}/flags.json").read_text())
    assert len(found) > 10, "too few flags to say anything"
    return sorted(found, key=lambda flag: len(flag["contacts"]))


@pytest.fixture(scope="module")
def running():
    with browser() as started:
        yield started


def run(place, *arguments, expect=0):
    """The command line in the folder of a workspace."""
    done = subprocess.run(
        [sys.executable, "-m", "riskflag", *arguments, "--workspace", str(place)],
        capture_output=True,
        text=True,
        env=riskflag_environment(),
        cwd=place.parent,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_no_flag_s_file_is_over_sixty_kilobytes(flags):
    """All flags of the demo, and made-up ones with many more records."""
    heavy = [long_flag(n, reasons=r, in_pattern=n) for n, r in ((60, 8), (300, 6), (900, 8))]
    for flag in [*flags, *heavy]:
        html = flag_page(flag, code=CODE)
        assert len(html.encode()) <= LARGEST == 60_000
        listed = len(re.findall(r'<tr[^>]* id="r\d', html))
        total = len(flag["contacts"])
        told = re.search(r"([\d,]+) more records are left out of this file", html)
        assert listed == total or (told and int(told[1].replace(",", "")) == total - listed)
        assert CODE in html


def test_a_file_that_is_cut_down_keeps_what_its_patterns_rest_on_first():
    """Control: without the limit the file would be larger; no record outside a pattern is kept
    while one within is left out."""
    flag = long_flag(900, reasons=4, in_pattern=30)
    html = flag_page(flag, code=CODE)
    rows = re.findall(r'<tr[^>]* id="r\d+"([^>]*)>', html)
    assert 8 <= len(rows) < 140
    assert len(html.encode()) > LARGEST - 2_000, "room that is left could hold more records"
    assert sum("in" in row.split('"')[1].split() if '"' in row else False for row in rows) >= 30


def test_the_largest_flags_print_on_four_sheets(flags, running, tmp_path):
    """With their codes and forms, as `riskflag explain` writes them."""
    for flag in flags[-6:]:
        file = tmp_path / "flag.html"
        file.write_text(flag_page(flag, code=CODE), encoding="utf-8")
        with opened(running, file) as page:
            assert 1 <= paper(page, tmp_path / "flag.pdf") <= 4, flag["flag_id"]


@pytest.fixture(scope="module")
def batch(flags, tmp_path_factory):
    """A batch of three flags, the largest among them."""
    file = tmp_path_factory.mktemp("batch") / "batch.html"
    codes = {flag["flag_id"]: CODE for flag in flags}
    chosen = [*flags[:2], flags[-1]]
    html = batch_page(chosen, codes, authority="Exampleshire", as_of=flags[0]["as_of"])
    file.write_text(html, encoding="utf-8")
    return file


def test_a_batch_holds_each_flag_whole_and_says_how_large_it_is(batch):
    """Every name is there once, every reference has its place, and nothing runs or is fetched."""
    html = batch.read_text(encoding="utf-8")
    names = re.findall(r' id="([^"]+)"', html)
    assert len(names) == len(set(names))
    for attribute in ("href", "for", "aria-labelledby"):
        for value in re.findall(rf' {attribute}="([^"]+)"', html):
            for name in value.split():
                assert name.removeprefix("#") in names, (attribute, name)
    assert html.count(f"Form code {CODE}") == 3
    assert html.count('class="one-flag') == 3
    assert "<script" not in html
    assert "default-src 'none'" in html
    told = re.search(r"holds everything \(([\d,]+) kB", html)
    size = int(told[1].replace(",", ""))
    assert 0 <= size * 1000 - len(html.encode()) < 1000


def test_a_batch_is_accessible_and_asks_nobody(batch, running):
    """axe-core on a desktop and on a phone; one request, nothing wider than the window."""
    for width in (1280, 320):
        with opened(running, batch, width=width) as page:
            assert violations(page) == []
            assert page.asked == [batch.as_uri()]
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_each_flag_of_a_batch_begins_a_sheet(batch, running, tmp_path):
    """At most four sheets a flag, and one for the list."""
    with opened(running, batch) as page:
        assert 4 <= paper(page, tmp_path / "batch.pdf") <= 1 + 3 * 4


def test_the_words_of_form_and_batch_are_plain(flags, batch):
    """No banned word; no sentence of the form over 25 words."""
    blocks = visible_text(batch.read_text(encoding="utf-8"))
    assert banned_words(" ".join(blocks)) == []
    for flag in flags:
        lines = form_text(offline_form(flag, CODE)).split("\r\n")
        assert banned_words(" ".join(lines)) == []
        assert long_sentences(lines) == []
        assert max(len(line) for line in lines) <= 110


def test_from_the_command_line_a_flag_goes_out_and_comes_back(demo_workspace, tmp_path):
    """explain --form, import twice, a refusal, a form that waits, and settling it."""
    place = demo_workspace
    write_users(place / "users.toml")
    pointer = (place / "publications/CURRENT").read_text().strip()
    stored = json.loads((place / f"publications/{pointer}/flags.json").read_text())
    flag_id, as_of = stored[0]["flag_id"], stored[0]["as_of"]
    told = run(place, "explain", flag_id, "--out", str(tmp_path / "page.html"), "--form")
    form = tmp_path / f"{flag_id}.review.txt"
    assert f"riskflag reviews import {form}" in told
    assert form.stat().st_mode & 0o077 == 0
    code = re.search(r"Form code: \[([^]]+)\]", form.read_text())[1]
    assert f"Form code {code}" in (tmp_path / "page.html").read_text()
    typed = run(place, "reviews", "form", flag_id, "--code", code, "--out", str(tmp_path / "t.txt"))
    assert "Fill it in" in typed
    assert (tmp_path / "t.txt").read_bytes() == form.read_bytes()
    form.write_text(fill(form.read_text(), day=as_of, decision="B"), encoding="utf-8")
    assert f"{flag_id} recorded." in run(place, "reviews", "import", str(form))
    assert "nothing was changed" in run(place, "reviews", "import", str(form))
    other = tmp_path / "other.txt"
    other.write_text(form.read_text().replace("[B]", "[C]"), encoding="utf-8")
    broken = tmp_path / "broken.txt"
    broken.write_text(form.read_text().replace("Strategy", "Tragedy"), encoding="utf-8")
    assert "reviews waiting" in run(place, "reviews", "import", str(other), expect=65)
    assert "broken.txt line 15: " in run(place, "reviews", "import", str(broken), expect=30)
    listed = run(place, "reviews", "waiting")
    name = re.search(rf"{flag_id}-[0-9a-f]{{12}}\.review\.txt", listed)[0]
    run(place, "reviews", "settle", name, "--note", "Decided again in the app.")
    assert "No form waits." in run(place, "reviews", "waiting")
    told = run(place, "reviews", "batch", "--out", str(tmp_path / "b.html"), "--most", "3",
               "--forms", str(tmp_path / "forms"))  # fmt: skip
    assert re.search(r"3 flags, [\d,]+ kB", told)
    assert len(list((tmp_path / "forms").glob("F-*.review.txt"))) == 3
    assert "There is no flag" in run(place, "reviews", "form", "F-1999-000001", expect=30)
