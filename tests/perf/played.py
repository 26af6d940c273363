"""Pipeline schedules played out: each rank's work as its framework orders it, run as early as it can."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Stage = int


class Work(NamedTuple):
    """One pass of one microbatch through one stage: F forward, B input gradient, W weight gradient."""

    kind: str
    stage: Stage
    microbatch: int


Slot = tuple[Work, ...]  # passes that a rank runs together, as one
Times = Callable[[Work], float]


@dataclass(frozen=True)
class Played:
    """What came of a schedule."""

    finish_s: float
    peak_in_flight: list[float]  # by rank: stage-microbatches whose forward has begun and whose W is not done


def play(orders: Sequence[Sequence[Slot]], *, stages: int, time_of: Times) -> Played:
    """Return when the last rank is done, each starting its next slot once what it needs is there."""
    done: dict[Work, float] = {}
    clocks, at = [0.0] * len(orders), [0] * len(orders)
    held, peaks = [0.0] * len(orders), [0.0] * len(orders)
    while any(at[r] < len(orders[r]) for r in range(len(orders))):
        moved = False
        for rank, order in enumerate(orders):
            while at[rank] < len(order):
                slot = order[at[rank]]
                wanted = [n for w in slot for n in needs(w, stages) if n not in slot]
                if any(n not in done for n in wanted):
                    break
                ready = max((done[n] for n in wanted), default=0.0)
                clocks[rank] = max(clocks[rank], ready) + sum(time_of(w) for w in slot)
                held[rank] += sum(w.kind == "F" for w in slot)
                peaks[rank] = max(peaks[rank], held[rank])
                held[rank] -= sum(w.kind == "W" for w in slot)
                done.update(dict.fromkeys(slot, clocks[rank]))
                at[rank] += 1
                moved = True
        if not moved:
            raise RuntimeError(f"deadlock at {at}")
    return Played(finish_s=max(clocks), peak_in_flight=peaks)


def needs(work: Work, stages: int) -> Iterator[Work]:
    """Yield what must be done, on other ranks or before, so that a pass can begin.

    Microbatches below 0 run through the stages backwards (the second direction of DualPipe).
    """
    kind, stage, microbatch = work
    step = 1 if microbatch >= 0 else -1
    first, last = (0, stages - 1) if step == 1 else (stages - 1, 0)
    if kind == "F" and stage != first:
        yield Work("F", stage - step, microbatch)
    if kind == "B":
        yield Work("F", stage, microbatch) if stage == last else Work("B", stage + step, microbatch)
    if kind == "W":
        yield Work("B", stage, microbatch)


def whole_backward(stage: Stage, microbatch: int) -> list[Slot]:
    """Return both halves of a backward pass, one after the other in one slot."""
    return [(Work("B", stage, microbatch), Work("W", stage, microbatch))]


def gpipe(stages: int, microbatches: int) -> list[list[Slot]]:
    """All forward, then all backward (Huang 2018, arXiv:1811.06965)."""
    return [
        [(Work("F", s, m),) for m in range(microbatches)]
        + [slot for m in range(microbatches) for slot in whole_backward(s, m)]
        for s in range(stages)
    ]


def one_f_one_b(stages: int, microbatches: int) -> list[list[Slot]]:
    """1F1B: stage s runs p - 1 - s forward passes first (Narayanan 2021, arXiv:2104.04473 sec. 2.2)."""
    orders = []
    for s in range(stages):
        warm = min(stages - 1 - s, microbatches)
        order: list[Slot] = [(Work("F", s, m),) for m in range(warm)]
        for m in range(microbatches):
            if warm + m < microbatches:
                order.append((Work("F", s, warm + m),))
            order += whole_backward(s, m)
        orders.append(order)
    return orders


def interleaved(ranks: int, microbatches: int, chunks: int) -> list[list[Slot]]:
    """Interleaved 1F1B in Megatron-LM's order: rank r holds stages r, r + p, ...; p microbatches a group."""
    total = microbatches * chunks

    def at(turn: int, *, backward: bool) -> tuple[int, int]:
        group, inside = divmod(turn, ranks * chunks)
        chunk = inside // ranks
        return (chunks - 1 - chunk if backward else chunk), group * ranks + inside % ranks

    orders = []
    for rank in range(ranks):
        warm = min((ranks - rank - 1) * 2 + (chunks - 1) * ranks, total)
        order: list[Slot] = []
        for turn in range(total + warm):
            if turn < total:
                chunk, microbatch = at(turn, backward=False)
                order.append((Work("F", chunk * ranks + rank, microbatch),))
            if turn >= warm:
                chunk, microbatch = at(turn - warm, backward=True)
                order += whole_backward(chunk * ranks + rank, microbatch)
        orders.append(order)
    return orders


def zero_bubble(stages: int, microbatches: int) -> list[list[Slot]]:
    """ZB-H1: 1F1B whose weight gradients wait, at most so many that each stage has p microbatches in flight.

    Qi 2023, arXiv:2401.10241 sec. 2.2.
    """
    orders = []
    for s in range(stages):
        warm = min(stages - 1 - s, microbatches)
        order: list[Slot] = [(Work("F", s, m),) for m in range(warm)]
        forward, weight = warm, 0
        for m in range(microbatches):
            if forward < microbatches:
                order.append((Work("F", s, forward),))
                forward += 1
            order.append((Work("B", s, m),))
            if forward - weight >= stages or (forward == microbatches and m - weight >= s):
                order.append((Work("W", s, weight),))
                weight += 1
        order += [(Work("W", s, m),) for m in range(weight, microbatches)]
        orders.append(order)
    return orders


def dualpipe(ranks: int, microbatches: int) -> list[list[Slot]]:
    """DualPipe's eight steps: two copies of the pipeline, fed from both ends (DeepSeek-V3, arXiv:2412.19437).

    Direction 0 of a rank enters at the nearer end. Microbatches from the last rank count from -1 down.
    """
    return [_dualpipe_rank(rank, ranks, microbatches // 2) for rank in range(ranks)]


def _dualpipe_rank(rank: int, ranks: int, half: int) -> list[Slot]:
    far = rank >= ranks // 2
    near = min(rank, ranks - 1 - rank)
    middle = ranks // 2
    counts = {(kind, way): itertools.count() for kind in "FBW" for way in (0, 1)}
    waiting: list[Work] = []  # weight gradients put off
    order: list[Slot] = []

    def work(kind: str, way: int) -> Work:
        number = next(counts[kind, way])
        down = (way == 0) == far  # this direction enters at the last rank
        return Work(kind, rank, -1 - number if down else number)

    def run(*asked: tuple[str, int], later: bool = False) -> None:
        slot = []
        for kind, way in asked:
            one = work(kind, way)
            slot.append(one)
            if kind == "B":
                weight = Work("W", rank, one.microbatch)
                (waiting if later else slot).append(weight)
        order.append(tuple(slot))

    def settle() -> None:
        order.append((waiting.pop(0),))

    for _ in range((middle - near - 1) * 2):
        run(("F", 0))
    for _ in range(near + 1):
        run(("F", 0))
        run(("F", 1))
    for _ in range(middle - near - 1):
        run(("B", 1), later=True)
        settle()
        run(("F", 1))
    for i in range(half - ranks + near + 1):
        if i == 0 and near == middle - 1:  # the middle ranks run the first pair one after the other
            run(("F", 0))
            run(("B", 1))
        else:
            run(("F", 0), ("B", 1))
        run(("F", 1), ("B", 0))
    for _ in range(middle - near - 1):
        run(("B", 1))
        run(("F", 1), ("B", 0))
    put_off = False
    for i in range(near + 1):
        put_off = put_off or (i == (near + 1) // 2 and near % 2 == 1)
        run(("B", 1), later=put_off)
        put_off = put_off or (i == (near + 1) // 2 and near % 2 == 0)
        run(("B", 0), later=put_off)
    for _ in range(middle - near - 1):
        settle()
        run(("B", 0), later=True)
    for _ in range(near + 1):
        settle()
    return order
