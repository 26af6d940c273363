"""The documents run, and say all there is."""
