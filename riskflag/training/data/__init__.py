"""What a model learns from: outcome, cohort, windows in time, rows and their signals."""
