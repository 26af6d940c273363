"""Which layout is best?

Takes a job, a machine, a software stack and a space; returns the best layouts, the Pareto front and why the
others lost.
"""

from gigawatt.search.run import Candidate, Objective, SearchResult, search, step_seconds
from gigawatt.search.space import Space, full_space, smaller_counts

__all__ = [
    "Candidate",
    "Objective",
    "SearchResult",
    "Space",
    "full_space",
    "search",
    "smaller_counts",
    "step_seconds",
]
