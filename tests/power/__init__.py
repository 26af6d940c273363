"""Power between idle and nameplate."""
