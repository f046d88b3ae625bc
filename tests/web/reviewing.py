"""What tests of the review pages share: reading a form off its page, and walking to the end."""

from __future__ import annotations

import html as markup
import json
import re
from dataclasses import dataclass

from tests.web.conftest import Desk, token_in

WHY = "The school nurse knows this family well and visits again on Monday."


def sign_in_as(app, name: str) -> Desk:
    """A browser of its own in which this user is signed in."""
    desk = Desk(app.test_client())
    answer = desk.post("/sign-in", {"user": name}, page="/sign-in")
    assert answer.status_code == 303, answer.text
    if desk.sitting().notice_due:
        desk.post("/before-you-start", page="/before-you-start")
    return desk


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of the page's own form (the last token on the page is that form's)."""
    found = dict(
        re.findall(r'name="(csrf_token|opening|step|review_id)"[^>]*value="([^"]+)"', html)
    )
    found |= {"csrf_token": token_in(html)}
    return {name: markup.unescape(value) for name, value in found.items()}


def names(html: str, beginning: str) -> list[str]:
    """The names of the fields that begin so, each once, in order."""
    return list(dict.fromkeys(re.findall(rf'name="({beginning}\w+)"', html)))


def errors(html: str) -> list[tuple[str, str]]:
    """The error summary: where each points to, and what it says."""
    summary = re.search(r"govuk-error-summary__list.*?</ul>", html, re.DOTALL)
    found = re.findall(r'href="#([\w-]+)"[^>]*>([^<]+)<', summary[0]) if summary else []
    return [(anchor, markup.unescape(text)) for anchor, text in found]


def said(html: str) -> str:
    """The text of a page's main part as a reader meets it."""
    main = re.search(r"<main.*?</main>", html, re.DOTALL)
    assert main, "the page has no main part"
    text = re.sub(r"<(script|style).*?</\1>", " ", main[0], flags=re.DOTALL)
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@dataclass
class Reviewer:
    """One person at one flag, who fills in the forms that the pages show."""

    desk: Desk
    flag_id: str

    @property
    def at(self) -> str:
        return f"/flag/{self.flag_id}/review"

    def open(self, more: str = "") -> str:
        page = self.desk.get(self.at + more)
        assert page.status_code == 200, page.text
        return page.text

    def send(self, page: str, step: str = "", **answers: str):
        """Send the form on `page` to a step of the review."""
        data = {"do": "continue", **hidden(page), **answers}
        return self.desk.client.post(self.at + step, data=data)

    def fill(self, more: str = "", **answers: str):
        """Open the form and send it, complete unless told otherwise."""
        whole = {"decision": "talk_to_colleague", "why": WHY, "worth_bringing": "new_to_me"}
        return self.send(self.open(more), **{**whole, **answers})

    def save(self, more: str = "", **answers: str) -> str:
        """Walk to the end; the saved page."""
        answer = self.fill(more, **answers)
        assert answer.location == f"{self.at}/check", answer.text
        answer = self.press_save()
        assert answer.status_code == 303, said(answer.text)
        return self.desk.get(answer.location).text

    def press_save(self):
        """Open the page of all answers and press its button."""
        page = self.desk.get(f"{self.at}/check")
        assert page.status_code == 200, page.text
        return self.desk.client.post(f"{self.at}/check", data={"do": "save", **hidden(page.text)})


def flags_of(workspace) -> list[dict]:
    """Every flag of the current publication."""
    publications = workspace.publications
    folder = publications / (publications / "CURRENT").read_text(encoding="utf-8").strip()
    return json.loads((folder / "flags.json").read_text(encoding="utf-8"))
