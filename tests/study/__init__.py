"""Plans: what holds for each of them, and the whole catalogue walked."""
