"""What must be computed, moved and kept for one step?

Takes an architecture and how it is cut; returns counts of parameters, flop, bytes and matrix products.
"""
