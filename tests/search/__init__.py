"""The search against a loop that prices one layout at a time."""
