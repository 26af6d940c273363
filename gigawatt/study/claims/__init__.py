"""Can an article's figures be true?

Takes a claim file: what is said, what to compute and when it holds; returns each claim with its figures
computed now, and the verdict that follows from them.
"""
