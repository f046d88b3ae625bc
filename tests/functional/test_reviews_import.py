"""Forms that come back: once each, whole or not at all, and nothing that was written is lost."""

from __future__ import annotations

import datetime as dt
import re
import shutil

import pytest
import sqlalchemy as sa

from riskflag.casework import imports
from riskflag.casework.reviews import reviews_of, shown, verdicts_of
from riskflag.casework.store import open_store
from riskflag.casework.tables import Audit, Flag, Review
from riskflag.clock import LONDON
from riskflag.history.schema import CONTACT, conform
from riskflag.history.store.parquet_store import HistoryStore
from riskflag.nightly.published import published_flag
from riskflag.nightly.run import run_night
from riskflag.reports.offline import form_text
from riskflag.reports.offline_import import form_of, take_in
from riskflag.workspace import Workspace
from tests import night_world as world

AS_OF = world.AS_OF
DAY = dt.timedelta(days=1)
USERS = """
[[user]]
name = "duty worker 1"
role = "caseworker"
team = "Front door"

[[user]]
name = "Zoë O'Brien"
role = "senior"
team = "Front door"

[[user]]
name = "data steward 1"
role = "steward"
team = "Data office"
"""


def authority(root):
    """A small authority with one published night and three users."""
    place = world.workspace(root)
    (place.root / "users.toml").write_text(USERS, encoding="utf-8")
    world.store_history(place, "b0", world.some_contacts())
    run_night(place, AS_OF)
    return place


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The authority after its first night; tests take copies."""
    return authority(tmp_path_factory.mktemp("published") / "w").root


@pytest.fixture
def desk(published, tmp_path):
    """A workspace, its store, and the number of the flag with three attendances."""
    shutil.copytree(published, tmp_path / "w")
    place = Workspace.open(tmp_path / "w")
    store = open_store(place)
    with store.reading() as session:
        flag_id = session.scalar(sa.select(Flag.flag_id).where(Flag.person_id == "C-ED"))
    yield place, store, flag_id
    store.close()


def fill(text: str, **answers: str) -> str:
    """A blank form with answers: letters into brackets, words below their questions."""
    said = {
        "decision": "E",
        "why": "The nurse and I spoke to her; she says it hurts at home.",
        "worth": "A",
        "comes_back": "",
        "reviewer": "duty worker 1",
        "day": AS_OF.isoformat(),
        "discussed": "",
        **answers,
    }
    places = {
        r"(H  Cannot decide[^\n]*\n   Answer: )\[  \]": "decision",
        r"(C  No\n   Answer: )\[  \]": "worth",
        r"(E  In 8 weeks\n   Answer: )\[  \]": "comes_back",
        r"(as you sign in: )\[  \]": "reviewer",
        r"(year-month-day\): )\[  \]": "day",
        r"(may stay empty\): )\[  \]": "discussed",
    }
    text = text.replace("\r\n", "\n")
    for pattern, name in places.items():
        text, found = re.subn(pattern, lambda m, n=name: f"{m[1]}[{said[n]}]", text)
        assert found == 1, name
    text = text.replace("What has the child said?\n", f"What has the child said?\n{said['why']}\n")
    if "quiet" in said:
        text = text.replace(
            "Write below this line.\n", f"Write below this line.\n{said['quiet']}\n"
        )
    for key, value in said.items():
        if key.startswith("pattern"):
            number = key.removeprefix("pattern")
            verdict, problem, note = value.split("|")
            text = re.sub(
                rf"(   Pattern {number}: [^\n]*\n   Answer: )\[  \](\n   If wrong, how: )\[  \]\n",
                lambda m, v=verdict, p=problem, n=note: f"{m[1]}[{v}]{m[2]}[{p}]\n{n}\n",
                text,
            )
    return text


def form_file(desk, folder, name="form.review.txt", **answers):
    place, store, flag_id = desk
    file = folder / name
    blank = form_text(form_of(place, store, flag_id))
    file.write_bytes(fill(blank, **answers).replace("\n", "\r\n").encode())
    return file


def taken(desk, file):
    place, store, _ = desk
    return take_in(place, store, file, actor="clerk")


def test_a_filled_form_becomes_one_review_with_its_verdicts(desk, tmp_path):
    """What was ticked and written stands in the store, and the chain says who took it in."""
    _, store, flag_id = desk
    file = form_file(
        desk,
        tmp_path,
        pattern1="w|d|It was the year before.",
        discussed="My senior",
        reviewer="  ZOË o'brien ",
        why="She told me.\nHer aunt says so too.",
    )
    one = taken(desk, file)
    assert (one.outcome, one.told) == ("recorded", f"form.review.txt: {flag_id} recorded.")
    (review,) = reviews_of(store, flag_id)
    assert (review.reviewer, review.role, review.decision) == ("Zoë O'Brien", "senior", "refer")
    assert review.why == "She told me.\nHer aunt says so too."
    assert (review.worth_bringing, review.comes_back) == ("new_to_me", "default")
    assert review.discussed_with == "My senior"
    assert review.sections_opened == ("offline_form", f"flag_of_{AS_OF}")
    (verdict,) = verdicts_of(store, review.review_id)
    assert (verdict.verdict, verdict.problem, verdict.note) == (
        "wrong",
        "wrong_date",
        "It was the year before.",
    )
    with store.reading() as session:
        told = session.execute(sa.select(Audit.action, Audit.actor).order_by(Audit.seq)).all()
        assert told[-2:] == [("review", "Zoë O'Brien"), ("import_form", "clerk")]
        assert session.get(Flag, flag_id).status == "closed"


def test_the_same_form_ten_times_is_one_review(desk, tmp_path):
    """Also under another name, with other line ends, after the flag was closed by it."""
    _, store, flag_id = desk
    file = form_file(desk, tmp_path)
    outcomes = [taken(desk, file).outcome for _ in range(8)]
    copy = tmp_path / "copy of form.txt"
    copy.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\r\n", b"\n"))
    outcomes += [taken(desk, copy).outcome]
    assert outcomes == ["recorded"] + ["already"] * 8
    assert len(reviews_of(store, flag_id)) == 1


def test_paper_is_typed_in_with_its_code_however_it_was_read(desk, tmp_path):
    """Lower case, without dashes, with letters for digits: the form of that page is made again."""
    place, store, flag_id = desk
    code = imports.form_code(store, flag_id, shown(store, flag_id))
    read = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    again = form_of(place, store, flag_id, read)
    assert again.code == code
    file = tmp_path / "typed.txt"
    file.write_text(fill(form_text(again).replace(code, read)), encoding="utf-8")
    assert taken(desk, file).outcome == "recorded"


REFUSED = {
    "another flag's number": (("Flag: [F-2026-00000", "Flag: [F-2026-10000"), 3, "no form of this"),
    "a code with one sign changed": (None, 3, "no form of this flag with this code"),
    "a question changed": (("What did you decide?", "What would you decide?"), 9, "handed out"),
    "a pattern's name changed": (("Pattern 1: ", "Pattern 1: not "), None, "handed out"),
    "an answer's place removed": (("   Answer: [E]", "   Answer: E"), 18, "between brackets"),
    "a choice removed": (("   D  Offer early help\n", ""), 13, "handed out"),
    "a choice that is not there": (("[E]", "[Z]"), 18, "one letter of A, B, C"),
    "two choices": (("[E]", "[E F]"), 18, "one letter of A, B, C"),
    "no decision": (("[E]", "[ ]"), 18, "one letter of A, B, C"),
    "no reason in words": (
        ("The nurse and I spoke to her; she says it hurts at home.", ""),
        None,
        "in words",
    ),
    "nobody of that name": (("[duty worker 1]", "[duty worker 9]"), None, "users.toml"),
    "a role that does not review": (
        ("[duty worker 1]", "[data steward 1]"),
        None,
        "does not review",
    ),
    "a day to come": ((f"[{AS_OF}]", "[2126-03-10]"), None, "still to come"),
    "a day before the page": ((f"[{AS_OF}]", "[2026-03-01]"), None, "before the page was made"),
    "no day": ((f"[{AS_OF}]", "[yesterday]"), None, "not a date"),
    "cut in the middle": (("CUT", ""), None, "handed out"),
    "cut before its end": (("END OF THE FORM\n", ""), None, "ends too early"),
    "something after the end": (
        ("END OF THE FORM\n", "END OF THE FORM\nmore\n"),
        None,
        "after the end",
    ),
    "quiet without a reason": (
        ("E  In 8 weeks\n   Answer: []", "E  In 8 weeks\n   Answer: [B]"),
        None,
        "needs a reason",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_that_is_not_as_it_should_be_is_refused_with_file_and_line(desk, tmp_path, name):
    """One sentence, the place, never what was written; and nothing is recorded or kept waiting."""
    place, store, flag_id = desk
    change, line, sentence = REFUSED[name]
    file = form_file(desk, tmp_path)
    text = file.read_bytes().decode().replace("\r\n", "\n")
    if change is None:
        code = re.search(r"Form code: \[(.)", text)[1]
        change = (f"Form code: [{code}", f"Form code: [{'7' if code != '7' else '8'}")
    changed = text[: len(text) // 2] if change[0] == "CUT" else text.replace(*change)
    assert changed != text, "the form was not changed"
    file.write_text(changed, encoding="utf-8")
    one = taken(desk, file)
    assert one.outcome == "refused"
    assert sentence in one.told
    assert re.match(r"form\.review\.txt line \d+: ", one.told), one.told
    if line is not None:
        assert f" line {line}: " in one.told
    assert "hurts at home" not in one.told
    assert reviews_of(store, flag_id) == []
    assert imports.waiting(place) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04\xff\xfe", "not plain text in UTF-8"),
        (b"", "not a riskflag review form"),
        (b"RISKFLAG REVIEW FORM, VERSION 2\n", "not a riskflag review form"),
        (b"RISKFLAG REVIEW FORM, VERSION 1\nFlag: [x]\n", "begins with Form code: is missing"),
        (b"x" * 200_000, "too long"),
    ],
)
def test_what_is_no_form_is_told_so(desk, tmp_path, content, sentence):
    """A workbook, an empty file, another version, a stump, a novel."""
    file = tmp_path / "odd.txt"
    file.write_bytes(content)
    one = taken(desk, file)
    assert one.outcome == "refused"
    assert sentence in one.told


def test_a_form_of_another_workspace_is_refused(desk, tmp_path):
    """The same borough, the same flag, another key."""
    file = form_file(desk, tmp_path)
    other = authority(tmp_path / "other")
    store = open_store(other)
    one = take_in(other, store, file, actor="clerk")
    store.close()
    assert one.outcome == "refused"
    assert "no form of this flag with this code was made in this workspace" in one.told


def next_night(place, days: int, rows=()):
    if rows:
        part = {"contact": conform(world._table(rows), CONTACT)}
        HistoryStore(place.history).append_batch(f"n{days}", AS_OF.isoformat(), part)
    run_night(place, AS_OF + days * DAY)


def test_a_later_night_that_brings_nothing_leaves_a_form_good(desk, tmp_path):
    """A page printed on Monday can be sent back on Friday."""
    place, store, flag_id = desk
    file = form_file(desk, tmp_path)
    before = shown(store, flag_id)
    next_night(place, 1)
    next_night(place, 4)
    assert shown(store, flag_id).payload_hash != before.payload_hash
    assert taken(desk, file).outcome == "recorded"
    assert taken(desk, file).outcome == "already"


def test_a_form_of_a_flag_that_has_changed_waits_for_a_person(desk, tmp_path):
    """A further attendance came: nothing is recorded, nothing lost, and a person settles it."""
    place, store, flag_id = desk
    file = form_file(desk, tmp_path)
    row = world.contact("C-ED", "ed.attendance", 1, known=0, agency="ed")
    next_night(place, 1, [row])
    one, again = taken(desk, file), taken(desk, file)
    assert (one.outcome, again.outcome) == ("waiting", "waiting")
    assert "something new has come to the flag" in one.told
    (kept,) = imports.waiting(place)
    assert kept.read_bytes() == file.read_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    assert reviews_of(store, flag_id) == []
    target = imports.settle(place, store, kept.name, actor="clerk", note="Decided in the app.")
    assert target.read_bytes() == file.read_bytes()
    assert imports.waiting(place) == []
    fresh = form_file(desk, tmp_path, "fresh.txt", day=(AS_OF + DAY).isoformat())
    assert taken(desk, fresh).outcome == "recorded"


def test_two_people_with_the_same_page_do_not_overwrite_each_other(desk, tmp_path):
    """The first is recorded; the second waits, and so does the first with other answers."""
    place, store, flag_id = desk
    first = form_file(desk, tmp_path, "one.txt", decision="B")
    second = form_file(desk, tmp_path, "two.txt", decision="G", reviewer="Zoë O'Brien")
    other = form_file(desk, tmp_path, "three.txt", decision="C")
    assert taken(desk, first).outcome == "recorded"
    late = taken(desk, second)
    assert late.outcome == "waiting"
    assert "Somebody else has saved a review" in late.told
    changed = taken(desk, other)
    assert changed.outcome == "waiting"
    assert "saved before with other answers" in changed.told
    assert len(imports.waiting(place)) == 2
    assert [review.decision for review in reviews_of(store, flag_id)] == ["talk_to_colleague"]
    assert taken(desk, first).outcome == "already"


def test_the_code_names_exactly_what_was_shown(desk):
    """Another flag, another content or another review before it: another code."""
    place, store, flag_id = desk
    now = shown(store, flag_id)
    codes = {
        imports.form_code(store, flag_id, now),
        imports.form_code(store, "F-2026-000009", now),
        imports.form_code(store, flag_id, type(now)("0" * 64, None)),
        imports.form_code(store, flag_id, type(now)(now.payload_hash, "a" * 32)),
    }
    assert len(codes) == 4
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}", c) for c in codes)
    assert published_flag(place, store, flag_id)["person_id"] not in "".join(codes)


OWN_LIST = """
return_weeks = [1, 12]

[[decision]]
name = "mash"
label = "Send to the front door team"
meaning = "act"

[[decision]]
name = "leave"
label = "Leave it for now"
meaning = "no_action"

[[decision]]
name = "undecided"
label = "I cannot tell"
meaning = "cannot_decide"
"""


def test_a_form_of_the_authoritys_own_list_is_taken_in_after_the_list_has_changed(tmp_path):
    """The form asks what the night's list said, and the review keeps that label and meaning."""
    from riskflag.nightly import inputs as of_a_night

    root = tmp_path / "w"
    place = world.workspace(root)
    (place.root / "users.toml").write_text(USERS, encoding="utf-8")
    (place.root / "decisions.toml").write_text(OWN_LIST, encoding="utf-8")
    world.store_history(place, "b0", world.some_contacts())
    assert of_a_night.load(place, AS_OF).form is not None
    run_night(place, AS_OF)
    (place.root / "decisions.toml").write_text(
        OWN_LIST.replace("Send to the front door team", "Tell the hub").replace("1, 12", "2, 4"),
        encoding="utf-8",
    )
    store = open_store(place)
    with store.reading() as session:
        flag_id = session.scalar(sa.select(Flag.flag_id).where(Flag.person_id == "C-ED"))
    text = form_text(form_of(place, store, flag_id)).replace("\r\n", "\n")
    assert "   A  Send to the front door team\n" in text
    assert "   D  In 12 weeks\n" in text
    for place_of, letter in (
        (r"(C  I cannot tell\n   Answer: )\[  \]", "A"),
        (r"(C  No\n   Answer: )\[  \]", "B"),
        (r"(D  In 12 weeks\n   Answer: )\[  \]", "C"),
        (r"(as you sign in: )\[  \]", "duty worker 1"),
        (r"(year-month-day\): )\[  \]", AS_OF.isoformat()),
    ):
        text, found = re.subn(place_of, lambda m, said=letter: f"{m[1]}[{said}]", text)
        assert found == 1
    text = text.replace(
        "What has the child said?\n", "What has the child said?\nShe asks for help.\n"
    )
    file = tmp_path / "form.review.txt"
    file.write_bytes(text.replace("\n", "\r\n").encode())
    taken_in = take_in(place, store, file, actor="clerk")
    assert taken_in.outcome == "recorded", taken_in.told
    with store.reading() as session:
        row = session.scalars(sa.select(Review)).one()
        assert (row.decision, row.meaning) == ("mash", "act")
        assert row.decision_label == "Send to the front door team"
        assert (row.back_on - row.decided_at.astimezone(LONDON).date()).days == 7
    store.close()
