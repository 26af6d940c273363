"""The envelope that plans, comparisons and sizings share: schema, tool, inputs, provenance, result."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import gigawatt


def envelope(
    schema: str,
    *,
    inputs: Mapping[str, Any],
    provenance: Mapping[str, Any],
    warnings: Sequence[Mapping[str, Any]],
    result: Mapping[str, Any],
    status: str = "ok",
) -> dict[str, Any]:
    """Return a versioned document; its provenance starts with the words of the command line."""
    return {
        "schema": schema,
        "tool": {"name": "gigawatt", "version": gigawatt.__version__},
        "inputs": inputs,
        "provenance": {"argv": sys.argv[1:], **provenance},
        "status": status,
        "warnings": warnings,
        "result": result,
    }


def digest_of(inputs: Mapping[str, Any]) -> str:
    """Return what tells equal inputs from others, whatever the order of their names.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    return f"sha256:{hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()}"
