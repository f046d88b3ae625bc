"""What a run leaves: figures, pages and plots in MLflow, and two runs side by side."""
