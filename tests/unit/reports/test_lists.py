"""Worklist, publication index, analyst's report, and all pages of a night."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import re
import time

import pytest

from riskflag.errors import InputError
from riskflag.nightly.listing import listed
from riskflag.nightly.staging import PublishedFlags
from riskflag.reports import (
    render_index,
    render_shap,
    render_worklist,
    write_publication_pages,
)
from riskflag.reports.analyst import analyst_report
from riskflag.reports.lint import banned_words, long_sentences, visible_text
from riskflag.reports.pages import analyst_page, flag_page
from riskflag.reports.publish import write_pages
from riskflag.reports.worklist import in_order, worklist
from tests.unit.reports.flags import examples, long_flag


def test_urgent_rules_come_first_then_the_longest_wait_and_never_a_score():
    """The order does not move when every score is turned round."""
    flags = examples()
    order = [flag["flag_id"] for flag in in_order(flags)]
    assert order == ["F-2026-000151", "F-2026-000418", "F-2026-000207", "F-2026-000419"]
    turned = copy.deepcopy(flags)
    for flag in turned:
        if flag["model"]:
            flag["model"]["raw"] *= -5
            flag["model"]["probability"] = 1 - flag["model"]["probability"]
    assert [flag["flag_id"] for flag in in_order(turned[::-1])] == order


def test_brothers_and_sisters_stand_together_when_they_are_known():
    """A sibling follows the child who waited longer, and the row says so."""
    flags = examples()
    flags[0]["siblings"] = [flags[3]["person_id"]]
    flags[3]["siblings"] = [flags[0]["person_id"]]
    order = [flag["flag_id"] for flag in in_order(flags)]
    assert order[:2] == [flags[0]["flag_id"], flags[3]["flag_id"]]
    told = [[one.flag_id for one in line.siblings] for line in worklist(flags, {}).lines]
    assert told == [[flags[3]["flag_id"]], [flags[0]["flag_id"]], [], []]
    html = render_worklist(flags, {})
    assert html.count("Also waiting: brother or sister") == 2
    assert f'href="flags/{flags[3]["flag_id"]}.html">{flags[3]["flag_id"]}</a>' in html


def test_a_brother_or_sister_who_is_not_on_the_list_is_not_told():
    """Only what waits is named."""
    flags = examples()
    flags[0]["siblings"] = ["P-999999"]
    assert all(line.siblings == () for line in worklist(flags, {}).lines)
    assert "brother or sister" not in render_worklist(flags, {})


def test_the_worklist_says_who_waits_why_since_when_and_what_is_new():
    """One row per flag with its link, and the capacity the team set."""
    html = render_worklist(examples(), {"capacity_per_week": 15, "authority": "A Borough"})
    assert "Four flags wait for a person. Your team set 15 a week." in html
    assert html.count('href="flags/') == 4
    assert "Nothing new since 13 October 2026" in html
    assert "One new record" in html
    assert "Not found again tonight" in html
    text = visible_text(html)
    assert banned_words("\n".join(text)) == []
    assert long_sentences(text) == []


def test_two_children_with_the_same_initials_are_told_apart():
    """Initials repeat, so the person number stands beside them; a number is not told twice."""
    flags = examples()
    for flag in flags[:2]:
        flag["child"]["display"] = "A.K."
    html = render_worklist(flags, {})
    for flag in flags[:2]:
        assert f">A.K. {flag['person_id']}<" in html
    assert html.count(flags[3]["person_id"]) == 1


def test_an_empty_worklist_reassures_nobody():
    """Nothing waiting says nothing about any child."""
    html = render_worklist([], {})
    assert "That says nothing about any child who is not listed." in html
    assert "<table" not in html
    assert "this night" in render_index([], {})


@pytest.mark.parametrize("name", ["../../etc/passwd", "F 1/2", 'a"b<c>'])
def test_no_path_is_taken_from_a_flag_number(name, tmp_path):
    """A flag number that is not one cannot lead outside the folder."""
    flag = {**examples()[1], "flag_id": name}
    write_publication_pages([flag], tmp_path)
    written = sorted(path.name for path in (tmp_path / "flags").iterdir())
    assert len(written) == 1
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.html", written[0])
    assert not re.search(r'href="flags/[^"]*\.\./', (tmp_path / "worklist.html").read_text())


def test_the_analyst_s_report_holds_every_contribution_and_adds_up():
    """All signals with values, bars and the line that shows the sum."""
    flag = examples()[1]
    html, report = render_shap(flag), analyst_report(flag)
    assert len(report.parts) == len(flag["model"]["contributions"])
    for part in flag["model"]["contributions"]:
        assert html.count(part["name"]) >= 2
    assert not report.faulty
    assert "Adds up:" in html
    assert "Not for casework." in html
    assert "<script" not in html
    assert sum(part.contribution for part in report.parts) == pytest.approx(
        flag["model"]["raw"] - flag["model"]["base"]
    )


def test_contributions_that_do_not_add_up_are_named_as_a_fault():
    """Negative control: a difference of a millionth is seen and said."""
    flag = copy.deepcopy(examples()[1])
    flag["model"]["raw"] += 1e-6
    assert analyst_report(flag).faulty
    assert "Does not add up:" in render_shap(flag)


def test_the_waterfall_runs_from_the_base_to_the_raw_score():
    """Each bar begins where the one before ended, and the last reaches the raw score."""
    flag = long_flag(5)
    flag["model"]["contributions"] = [
        {"name": f"signal_{n}", "value": float(n), "contribution": (-1) ** n * n / 7}
        for n in range(40)
    ]
    total = sum(part["contribution"] for part in flag["model"]["contributions"])
    flag["model"]["raw"] = flag["model"]["base"] + total
    bars = analyst_report(flag).waterfall
    assert len(bars) == 18
    assert bars[-2].label == "25 other signals"
    for before, bar in itertools.pairwise(bars[:-1]):
        start = bar.x if bar.raises else bar.x + bar.width
        assert start == pytest.approx(before.end, abs=0.3)
    assert bars[-2].end == pytest.approx(bars[-1].x, abs=0.3)


def test_a_child_no_model_scored_has_no_report_of_contributions():
    """One plain sentence and what to open instead."""
    with pytest.raises(InputError, match="No model scored this child"):
        render_shap(examples()[2])


def test_the_report_tells_each_signal_s_theme_and_question_from_the_flag_alone():
    """No catalogue is at hand: what the flag carries is what scored it."""
    flag = copy.deepcopy(examples()[1])
    flag["model"]["contributions"][-1].update(theme="a_new_theme", question="A new question?")
    report = analyst_report(flag)
    told = {
        part["name"]: (part["theme"], part["question"]) for part in flag["model"]["contributions"]
    }
    assert {part.name: (part.theme, part.question) for part in report.parts} == told
    html = render_shap(flag)
    assert "A new question?" in html
    assert "a new theme" in html


def published(flags: list[dict]) -> PublishedFlags:
    short = [listed(flag) for flag in flags]
    return PublishedFlags("A Borough", dt.date(2026, 10, 20), "c0de" * 16, 15, flags, short)


def test_a_night_s_pages_are_all_written_and_written_alike(tmp_path):
    """Worklist, index, a page per flag and a report per scored child; same bytes twice."""
    flags = examples()
    for name in ("a", "b"):
        write_pages(published(flags), tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.html"))
    assert len(files) == 2 + 4 + 2
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    worklist_html = (tmp_path / "a" / "worklist.html").read_text()
    assert "Four flags wait for a person. Your team set 15 a week." in worklist_html
    links = re.findall(r'href="(flags/[^"]+)"', worklist_html)
    assert len(links) == 4
    assert all((tmp_path / "a" / link).is_file() for link in links)


def test_single_pages_are_those_of_the_publication_but_for_the_way_home(tmp_path):
    """`explain` shows what the night published."""
    flag = examples()[1]
    write_pages(published([flag]), tmp_path)
    home = '<a href="../worklist.html">Back to the worklist</a>'
    night = (tmp_path / "flags" / f"{flag['flag_id']}.html").read_text()
    assert night.replace(home, "riskflag") == flag_page(flag)
    assert (tmp_path / "analyst" / f"{flag['flag_id']}.html").read_text() == analyst_page(flag)


def test_pages_are_written_fast_and_progress_is_told(tmp_path):
    """A hundred pages in two seconds of one core, so a thousand stay under twenty."""
    flags = [{**long_flag(25), "flag_id": f"F-2026-{n:06d}"} for n in range(100)]
    told = []
    began = time.process_time()
    write_publication_pages(flags, tmp_path, progress=lambda *step: told.append(step))
    assert time.process_time() - began < 2.0
    assert told[0] == ("Writing pages", 0, 100)
    assert told[-1] == ("Writing pages", 100, 100)


def test_several_processes_write_the_same_pages_or_say_that_they_could_not(tmp_path):
    """However the flags are shared out; what stands in the way of one page stops all."""
    flags, trees = examples(), []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        write_publication_pages(flags, folder, processes=processes)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        trees.append({path.relative_to(folder): path.read_bytes() for path in paths})
    assert trees[0] == trees[1]
    assert len(trees[0]) > len(flags)
    (tmp_path / "blocked" / "flags" / f"{flags[1]['flag_id']}.html").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        write_publication_pages(flags, tmp_path / "blocked", processes=2)
