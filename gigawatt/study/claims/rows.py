"""What may be written in a claim file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Quantity = str | float | int
MOST_QUOTED = 60  # letters: a key phrase that carries the number, no more


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class ArticleRow(_Strict):
    """What is checked: an article, a post or a talk."""

    title: str = ""
    published: str = ""
    by: str = ""
    url: str = ""
    about: str = ""


class SourceRow(_Strict):
    """Who says a figure that the catalogue does not have."""

    producer: str
    title: str
    published: str = ""
    accessed: str = ""
    url: str = ""
    note: str = ""


class SaidRow(_Strict):
    """What is said, as a value with its unit."""

    value: Quantity | dict[str, Quantity]
    unit: str = "1"
    label: str = ""


class TestRow(_Strict):
    """One comparison: a computed figure with what is said, or a condition over figures."""

    figure: str = ""
    said: str = ""  # what it is compared with: the said value of the same name when nothing is given,
    than: str = ""  # another figure,
    value: Quantity | None = None  # or a limit of our own
    rule: Literal["", "within", "at_least", "at_most", "same"] = Field(default="", alias="is")
    by: Quantity = 0.0  # how far off it may be: a share, or days for dates
    when: str = ""
    label: str = ""


class ReadingRow(_Strict):
    """One way to read the claim: it holds when all its tests do."""

    label: str
    tests: list[TestRow] = Field(min_length=1)
    note: str = ""


class ClaimRow(_Strict):
    """One claim: who says what where, what is computed, and when it holds."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$")
    where: str = ""
    who: str
    claim: str
    quote: str = Field(default="", max_length=MOST_QUOTED)
    said: dict[str, SaidRow] = Field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = Field(default_factory=dict)
    headline: list[str] = Field(default_factory=list)  # the figures of the table's row
    readings: list[ReadingRow] = Field(default_factory=list)
    opinion: str = ""  # why there is nothing to compare, in place of readings
    sources: list[str] = Field(default_factory=list)
    note: str = ""


class LineRow(_Strict):
    """One line of a picture: a query, one of whose fields varies."""

    label: str
    query: dict[str, Any]


class PictureRow(_Strict):
    """A picture of the page: bars of figures of one claim, or lines over a field that varies."""

    title: str
    claim: str = ""
    bars: list[str] = Field(default_factory=list)
    lines: list[LineRow] = Field(default_factory=list)
    vary: str = ""
    low: Quantity = 0.0
    high: Quantity = 0.0
    points: int = Field(default=25, ge=2, le=200)
    x_label: str = ""
    y_label: str = ""
    note: str = ""


class ClaimFileRows(_Strict):
    """A claim file as written down."""

    title: str
    article: ArticleRow = ArticleRow()
    sources: dict[str, SourceRow] = Field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = Field(default_factory=dict)  # that several claims share
    claims: list[ClaimRow] = Field(min_length=1)
    pictures: list[PictureRow] = Field(default_factory=list)


SHAPES: dict[tuple[str, ...], type[BaseModel]] = {  # what may be written at each place; * is any name
    (): ClaimFileRows,
    ("article",): ArticleRow,
    ("sources", "*"): SourceRow,
    ("claims",): ClaimRow,
    ("claims", "said", "*"): SaidRow,
    ("claims", "readings"): ReadingRow,
    ("claims", "readings", "tests"): TestRow,
    ("pictures",): PictureRow,
    ("pictures", "lines"): LineRow,
}
