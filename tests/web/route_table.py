"""Every address of the app and who may open it. A page that is not here fails the tests.

Written by hand from the roles' work, not read from the code: changing who may see what means
changing it in two places, on purpose.
"""

from __future__ import annotations

EVERYBODY = "open"
ALL_ROLES = "signed_in"

#: (address, method) -> the action a role must be allowed.
ROUTES: dict[tuple[str, str], str] = {
    ("/", "GET"): EVERYBODY,
    ("/static/<path:filename>", "GET"): EVERYBODY,
    ("/look/<names>.css", "GET"): EVERYBODY,
    ("/sign-in", "GET"): EVERYBODY,
    ("/sign-in", "POST"): EVERYBODY,
    ("/sign-out", "POST"): EVERYBODY,
    ("/before-you-start", "GET"): ALL_ROLES,
    ("/before-you-start", "POST"): ALL_ROLES,
    ("/worklist", "GET"): "read_flags",
    ("/flag/<flag_id>/record/<contact_ref>", "GET"): "read_flags",
    ("/flag/<flag_id>/record/<contact_ref>", "POST"): "read_flags",
    ("/flag/<flag_id>/review", "GET"): "review",
    ("/flag/<flag_id>/review", "POST"): "review",
    ("/flag/<flag_id>/review/draft", "POST"): "review",
    ("/flag/<flag_id>/review/kept", "GET"): "review",
    ("/flag/<flag_id>/review/wrong", "GET"): "review",
    ("/flag/<flag_id>/review/wrong", "POST"): "review",
    ("/flag/<flag_id>/review/check", "GET"): "review",
    ("/flag/<flag_id>/review/check", "POST"): "review",
    ("/flag/<flag_id>/review/saved", "GET"): "review",
    ("/flag/<flag_id>/first-thought", "GET"): "review",
    ("/flag/<flag_id>/first-thought", "POST"): "review",
    ("/flag/<flag_id>/reviews", "GET"): "read_flags",
    ("/flag/<flag_id>/lookback", "GET"): "lookback",
    ("/flag/<flag_id>", "GET"): "read_flags",
    ("/flag/<flag_id>/records", "GET"): "read_flags",
    ("/flag/<flag_id>/record/<contact_ref>", "GET"): "read_flags",
    ("/pause", "GET"): "pause",
    ("/pause", "POST"): "pause",
    ("/pause/confirm", "POST"): "pause",
    ("/data-problems", "GET"): "data_problems",
    ("/data-problems/<int:problem_id>", "GET"): "data_problems",
    ("/data-problems/<int:problem_id>", "POST"): "data_problems",
    ("/second-look", "GET"): "second_look",
    ("/team", "GET"): "team",
    ("/alert-health", "GET"): "alert_health",
    ("/help", "GET"): EVERYBODY,
    ("/privacy", "GET"): EVERYBODY,
    ("/accessibility", "GET"): EVERYBODY,
    ("/how-this-works", "GET"): EVERYBODY,
}

#: What each role may do, again by hand.
MAY = {
    "caseworker": {"read_flags", "review"},
    "senior": {"read_flags", "review", "second_look"},
    "manager": {"read_flags", "review", "second_look", "team", "alert_health", "lookback"},
    "steward": {"data_problems"},
    "analyst": {"alert_health", "shap"},
    "governance": {"team", "alert_health", "shap", "lookback"},
    "owner": {"team", "alert_health", "pause"},
}


def allowed(role: str | None, needed: str) -> bool:
    """Whether a role (None: nobody signed in) may open what needs an action."""
    if needed == EVERYBODY:
        return True
    return role is not None and (needed == ALL_ROLES or needed in MAY[role])
