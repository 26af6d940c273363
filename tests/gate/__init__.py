"""The prediction gate: a fixed grid of plans, stored in predictions.csv, so that no number moves unseen."""
