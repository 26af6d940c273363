"""Failures in closed form against failures drawn at random."""
