"""Money by parts."""
