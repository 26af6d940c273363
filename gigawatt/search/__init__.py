"""Which layout is best?

Takes a job, a machine, a software stack and a space; returns the best layouts, the Pareto front and why the
others lost.
"""

from gigawatt.search.kept import Candidate, SearchResult
from gigawatt.search.run import search, search_sizes, step_seconds
from gigawatt.search.space import Space, full_space, smaller_counts
from gigawatt.search.task import Objective

__all__ = [
    "Candidate",
    "Objective",
    "SearchResult",
    "Space",
    "full_space",
    "search",
    "search_sizes",
    "smaller_counts",
    "step_seconds",
]
