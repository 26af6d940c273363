"""How long is one step, and does it fit?

Takes a job, a layout (one, or columns), a strategy, a machine and a software stack; returns step time and
memory in named parts, and a verdict.
"""

from gigawatt.perf.job import Job
from gigawatt.perf.layout import Layout, Strategy, take
from gigawatt.perf.memory import MemoryUse, memory_use
from gigawatt.perf.setting import Setting
from gigawatt.perf.stacks import default_stack, stack, stacks
from gigawatt.perf.step import (
    StagePasses,
    StepTime,
    microbatch_passes,
    microbatches_of,
    setting_of,
    step_parts,
    step_time,
)
from gigawatt.perf.verdict import VERDICT_TEXT, Verdict, verdict

__all__ = [
    "VERDICT_TEXT",
    "Job",
    "Layout",
    "MemoryUse",
    "Setting",
    "StagePasses",
    "StepTime",
    "Strategy",
    "Verdict",
    "default_stack",
    "memory_use",
    "microbatch_passes",
    "microbatches_of",
    "setting_of",
    "stack",
    "stacks",
    "step_parts",
    "step_time",
    "take",
    "verdict",
]
