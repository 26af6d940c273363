"""Published loss numbers."""
