"""Components made once: what the library's macros give, with nothing of a person kept."""

from __future__ import annotations

import pytest
from flask import render_template_string
from markupsafe import Markup

from riskflag.web.components import HOLE, KEPT, NAMES, Component

FIELD = {"id": "why", "name": "why", "label": {"text": "Why? <b>"}}
ITEMS = [{"value": "yes", "text": "Yes", "checked": True}, {"value": "no", "text": "No & never"}]
CASES = {
    "govukButton": {"text": "Continue", "preventDoubleClick": True},
    "govukInput": {**FIELD, "value": HOLE, "errorMessage": {"text": "Enter it"}},
    "govukPagination": {"next": {"href": "/worklist?page=2"}, "items": [{"number": 1}]},
    "govukRadios": {"name": "why", "hint": {"html": HOLE}, "items": ITEMS},
    "govukServiceNavigation": {"navigation": [{"text": "Team", "href": "/team", "active": True}]},
    "govukSkipLink": {"href": "#main-content", "text": "Skip to main content"},
    "govukTextarea": {**FIELD, "value": HOLE, "rows": 7},
}
TYPED = 'Said "no" & <left>'


def filled(value, own):
    """The parameters with the words in their place, as the library takes them."""
    if isinstance(value, dict):
        return {name: filled(part, own) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, own) for part in value]
    return own if value == HOLE else value


@pytest.mark.parametrize("name", NAMES)
def test_a_component_is_what_the_library_makes_of_the_same_words(app, name):
    """To the byte, the first time and from then on; what was typed is escaped."""
    component, parameters = Component(app.jinja_env, name), CASES[name]
    folder = {"govukServiceNavigation": "service-navigation", "govukSkipLink": "skip-link"}
    path = f"components/{folder.get(name, name[5:].lower())}/macro.html"
    call = f'{{% from "govuk_frontend_jinja/{path}" import {name} %}}{{{{ {name}(given) }}}}'
    own = Markup("<b>Three</b> records") if name == "govukRadios" else TYPED
    with app.test_request_context():
        wanted = render_template_string(call, given=filled(parameters, own))
    assert component(parameters, own) == component(parameters, own) == wanted
    assert ("&lt;left&gt;" in wanted) == (name in ("govukInput", "govukTextarea"))


def test_what_somebody_typed_is_not_kept(app):
    """However many answers were shown, one form of the field is kept; and of forms not too many."""
    component = Component(app.jinja_env, "govukTextarea")
    for number in range(20):
        assert f"Answer {number}" in component(CASES["govukTextarea"], f"Answer {number}")
    assert component._kept.cache_info().currsize == 1
    assert component._kept.cache_info().maxsize == KEPT
