"""Components of GOV.UK Frontend, made once for the same parameters and then taken as they are.

For one button the library's macros go through half a dozen templates, and for the radios of one
question through fifty; what comes out depends on the parameters alone. Parameters hold the words of
a page. What somebody typed, or what is about a child, is put in afterwards, so that none is kept.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from jinja2 import Environment
from markupsafe import Markup, escape

#: Where a parameter takes what is put in afterwards.
HOLE = "\ue000"
#: So many sets of parameters of one component are kept.
KEPT = 512
NAMES = (
    *("govukButton", "govukInput", "govukPagination", "govukRadios"),
    *("govukServiceNavigation", "govukSkipLink", "govukTextarea"),
)


class Component:
    """One of the library's macros."""

    def __init__(self, environment: Environment, name: str) -> None:
        self._environment, self._name = environment, name
        self._kept = lru_cache(KEPT)(self._made)

    def __call__(self, parameters: dict[str, object], own: str = "") -> Markup:
        """What the macro gives; `own` takes the place of HOLE, escaped unless it is Markup."""
        # What a template leaves out stands for nothing, as in a template.
        html = self._kept(json.dumps(parameters, default=str))
        return Markup(html.replace(HOLE, escape(own))) if own else html  # noqa: S704

    def _made(self, parameters: str) -> Markup:
        folder = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", self._name[5:])[1:]
        template = self._environment.get_template(
            f"govuk_frontend_jinja/components/{folder}/macro.html"
        )
        macro = getattr(template.module, self._name)
        return Markup(macro(json.loads(parameters)))  # noqa: S704 - the library has escaped it


def register(environment: Environment) -> None:
    """Give every template the components under the library's own names."""
    environment.globals.update({name: Component(environment, name) for name in NAMES})
    environment.globals["hole"] = HOLE
