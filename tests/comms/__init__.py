"""Collectives against their physical limit and against rings played out link by link."""
