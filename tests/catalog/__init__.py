"""The catalogue: complete, sourced, and right to the published figure."""
