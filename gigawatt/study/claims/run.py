"""Compute a claim file: every figure from catalogue and model, then every verdict from the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gigawatt.errors import GigawattError, InputError, unknown_name
from gigawatt.study.claims.asked import Desk, Found
from gigawatt.study.claims.expression import evaluate, names_in
from gigawatt.study.claims.figures import Figure, Span, told, weakest
from gigawatt.study.claims.file import SAID, Claim, ClaimFile, Wanted, find_claim_file
from gigawatt.study.claims.pictures import Picture, picture_of
from gigawatt.study.claims.verdict import FAILED, Read, numbers, read, verdict_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """One claim, with what was computed and what follows from it."""

    claim: Claim
    said: Mapping[str, Figure]
    figures: Mapping[str, Figure]
    readings: tuple[Read, ...]
    verdict: str
    error: str = ""  # why it failed

    @property
    def id(self) -> str:
        return self.claim.rows.id


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """A claim file, computed."""

    file: ClaimFile
    checked: tuple[Checked, ...]
    pictures: tuple[Picture, ...]
    undrawn: tuple[tuple[str, str], ...]  # the titles of pictures that cannot be drawn, and why

    @property
    def failed(self) -> tuple[Checked, ...]:
        return tuple(one for one in self.checked if one.verdict == FAILED)


def claims(name: str, *, only: str | None = None, progress: Callable[[float], None] | None = None) -> Claims:
    """Return all claims of a file, or only one, computed now from the catalogue and the model.

    Raises: InputError for a file or a claim that is not known. A claim that cannot be computed is failed.
    """
    return computed(find_claim_file(name), only=only, progress=progress)


def computed(
    file: ClaimFile, *, only: str | None = None, progress: Callable[[float], None] | None = None
) -> Claims:
    """Return the claims of a checked file, or only one, computed now.

    Raises: InputError for a claim that is not known.
    """
    wanted = [claim for claim in file.claims if only is None or claim.rows.id == only]
    if not wanted:
        raise unknown_name("claim", str(only), [claim.rows.id for claim in file.claims])
    desk, checked = Desk(), []
    for i, claim in enumerate(wanted):
        checked.append(check(claim, file=file, desk=desk))
        if progress is not None:
            progress((i + 1) / len(wanted))
    pictures, undrawn = _pictures(file, checked, desk, only=only)
    return Claims(file=file, checked=tuple(checked), pictures=pictures, undrawn=undrawn)


def _pictures(
    file: ClaimFile, checked: Sequence[Checked], desk: Desk, *, only: str | None
) -> tuple[tuple[Picture, ...], tuple[tuple[str, str], ...]]:
    """Return the pictures of what was computed, and those that cannot be drawn with the reason."""
    by_id = {one.id: one for one in checked if one.verdict != FAILED}
    drawn = [row for row in file.rows.pictures if row.claim in by_id or not (row.claim or only)]
    found, undrawn = [], []
    for row in drawn:
        computer = Computer(file, desk, figures=file.shared, said={}, id="")
        try:
            shared = computer.of([name for name in row.bars if name in file.shared])
            figures = {**shared, **_named(by_id[row.claim])} if row.claim else shared
            found.append(picture_of(row, figures=figures, desk=desk))
        except (GigawattError, ArithmeticError) as error:
            undrawn.append((row.title, str(error)))
    return tuple(found), tuple(undrawn)


def _named(one: Checked) -> dict[str, Figure]:
    return {**one.figures, **{SAID + name: figure for name, figure in one.said.items()}}


def check(claim: Claim, *, file: ClaimFile, desk: Desk) -> Checked:
    """Return one claim with its verdict, or with the sentence that says why it cannot be computed."""
    said = {name: _said(name, span, claim) for name, span in claim.said.items()}
    computer = Computer(file, desk, figures={**file.shared, **claim.figures}, said=said, id=claim.rows.id)
    try:
        figures = computer.of(used_names(claim))
        readings = tuple(read(row, figures, said=said) for row in claim.rows.readings)
    except (GigawattError, ArithmeticError) as error:
        return Checked(claim=claim, said=said, figures={}, readings=(), verdict=FAILED, error=str(error))
    return Checked(claim=claim, said=said, figures=figures, readings=readings, verdict=verdict_of(readings))


def used_names(claim: Claim) -> list[str]:
    """Return the figures of a claim in the order shown: its own, then the shared ones it uses."""
    found = list(claim.figures)
    found += [name for name in claim.rows.headline if name not in found]
    for reading in claim.rows.readings:
        for test in reading.tests:
            named = names_in(test.when, field="when") if test.when else {test.figure, test.than} - {""}
            found += [name for name in sorted(named - set(found)) if not name.startswith(SAID)]
    return found


def _said(name: str, span: Span, claim: Claim) -> Figure:
    row = claim.rows.said[name]
    return Figure(
        name=name,
        label=row.label or name.replace("_", " "),
        value=span.value,
        unit=row.unit,
        text=told(span.value, row.unit, low=span.low, high=span.high),
        by="",
        kind="said",
        low=span.low,
        high=span.high,
    )


class Computer:
    """Figures by name, each computed once, from those that it is made of."""

    def __init__(
        self,
        file: ClaimFile,
        desk: Desk,
        *,
        figures: Mapping[str, Wanted],
        said: Mapping[str, Figure],
        id: str,
    ) -> None:
        self.desk, self.wanted, self.said = desk, figures, said
        self.shown_by = f"gigawatt claims {file.name}" + (f" --show {id}" if id else "")
        self.done: dict[str, Figure] = {}

    def of(self, names: list[str]) -> dict[str, Figure]:
        """Return some figures, in this order."""
        return {name: self.figure(name) for name in names}

    def figure(self, name: str) -> Figure:
        """Return one figure.

        Raises: InputError, with the figure's name, when it cannot be computed.
        """
        if name not in self.done:
            wanted = self.wanted[name]
            try:
                self.done[name] = self._computed(wanted)
            except GigawattError as error:
                told_already = str(error).startswith("figure ")
                raise InputError(str(error) if told_already else f"figure {name!r}: {error}") from None
        return self.done[name]

    def _computed(self, wanted: Wanted) -> Figure:
        if wanted.query is not None:
            found = wanted.query.found(self.desk)
            return _figure(wanted, found, by=wanted.query.command() or self.shown_by)
        if wanted.datum is not None:
            span = wanted.datum
            datum = Found(value=span.value, unit=wanted.unit, kind=wanted.kind, sources=wanted.sources,
                          low=span.low, high=span.high)  # fmt: skip
            return _figure(wanted, datum, by=self.shown_by)
        return self._arithmetic(wanted)

    def _arithmetic(self, wanted: Wanted) -> Figure:
        names = sorted(names_in(wanted.expr, field="expr"))
        parts = {n: self.figure(n) for n in names if not n.startswith(SAID)}
        value = evaluate(wanted.expr, numbers(parts, self.said), field="expr")
        if isinstance(value, bool):
            raise InputError(f"expr = {wanted.expr!r} is a condition, not a number")
        sources = tuple(dict.fromkeys(source for part in parts.values() for source in part.sources))
        kind = weakest(["derived", *(part.kind for part in parts.values())])
        found = Found(value=value, unit=wanted.unit, kind=kind, sources=sources, note=f"= {wanted.expr}")
        return _figure(wanted, found, by=self.shown_by)


def _figure(wanted: Wanted, found: Found, *, by: str) -> Figure:
    unit = wanted.unit or found.unit
    text = told(found.value, unit, low=found.low, high=found.high)
    notes = "; ".join(part for part in (found.note, wanted.note) if part)
    made = Figure(name=wanted.name, label=wanted.label, value=found.value, unit=unit, text=text, by=by,
                  kind=found.kind, sources=found.sources, note=notes)  # fmt: skip
    return replace(made, low=found.low, high=found.high)
