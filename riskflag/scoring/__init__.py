"""Scoring: rules, the verified bundle, the model, reasons, and what a night found of a child."""
