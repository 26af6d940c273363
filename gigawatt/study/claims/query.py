"""What every query of a claim file is."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from gigawatt.study.claims.asked import Desk, Found

Quantity = str | float | int


class Query(BaseModel):
    """A question to the catalogue or the model, as written in a claim file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    KIND: ClassVar[str] = ""

    def found(self, desk: Desk) -> Found:
        """Return the answer."""
        raise NotImplementedError

    def command(self) -> str:
        """Return what a reader types to see it."""
        raise NotImplementedError
