"""The caseworker app: one view file per page."""
