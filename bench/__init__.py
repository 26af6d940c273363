"""Speed, as ratios to a plain NumPy loop in the same run: `python -m bench.run`."""
