"""Fit the constants that no datasheet prints: `python -m calibration`; not shipped with the package."""
