"""How this works: in layers, for everybody, with no child's data in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from riskflag.reports.how_it_works import HowItWorks, how_it_works
from riskflag.scoring.rulebook import Rulebook
from riskflag.signals import load_catalogue
from riskflag.web import desk, kept
from riskflag.web.gate import OPEN, needs

blueprint = Blueprint("how_this_works", __name__)


@blueprint.get("/how-this-works")
@needs(OPEN)
def page() -> ResponseReturnValue:
    """The six kinds of explanation; made once for each publication."""
    manifest = kept.manifest()
    return render_template(
        "how_this_works.html", page=kept.for_publication("how", lambda _: _view(manifest))
    )


def _view(manifest: Mapping[str, Any]) -> HowItWorks:
    workspace = desk.workspace()
    catalogue = load_catalogue(workspace.features_dir, workspace.vocabulary)
    bundle = kept.bundle(manifest)
    return how_it_works(
        Rulebook.load(None, catalogue),
        catalogue.with_more(bundle.carried) if bundle else catalogue,
        {"authority": workspace.config.authority, **manifest},
        model=bundle.manifest["about"] if bundle else None,
        performance=bundle.performance if bundle else None,
        capacity=workspace.config.capacity_per_week,
    )
