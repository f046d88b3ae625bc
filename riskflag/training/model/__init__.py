"""Growing, tuning and calibrating a model, and where its line is drawn."""
