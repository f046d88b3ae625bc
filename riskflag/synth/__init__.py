"""The synthetic borough: agency files with a known truth, for demonstrations and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskflag.synth.borough import SynthSummary, generate

#: The shipped sources that read a borough's files, one per file.
SOURCES = (
    "ssd_person", "ssd_disability", "ssd_linked_identifiers", "ssd_mother", "ssd_family",
    "ssd_contacts", "ssd_cin_episodes", "ssd_cin_assessments", "ssd_assessment_factors",
    "ssd_s47_enquiry", "ssd_initial_cp_conference", "ssd_cp_plans", "ssd_cin_plans",
    "ssd_cin_visits", "ssd_cp_visits", "ssd_cla_visits", "ssd_voice_of_child", "ssd_cp_reviews",
    "ssd_cla_reviews", "ssd_cla_episodes", "ssd_cla_placement", "fostering", "ssd_missing",
    "ssd_involvements", "ecds", "community_health", "child_mental_health", "gp", "school_absence",
    "school_exclusions", "school_bullying", "school_concerns", "school_moves", "police_notices",
    "police_missing", "police_crime", "housing", "adult_services", "ssd_early_help_episodes",
    "early_help_support",
)  # fmt: skip

__all__ = ["SOURCES", "SynthSummary", "generate"]


def __getattr__(name: str) -> Any:
    """Load the generator only when somebody asks for it: the command line starts quickly."""
    if name in ("SynthSummary", "generate"):
        from riskflag.synth import borough

        return getattr(borough, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
