"""Training: outcomes, cohorts, windows in time, the model, its judges, its record and promotion."""
