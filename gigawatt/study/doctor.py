"""What this installation is: versions, the catalogue's size, extras, and where settings come from."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import gigawatt
from gigawatt.catalog import load, machines, models
from gigawatt.perf import stacks

NEEDED = ("numpy", "scipy", "pydantic", "ruamel.yaml", "rich", "click")
EXTRAS = {
    "test": ("pytest", "hypothesis", "pint"),
    "study": ("duckdb", "pyarrow"),
    "ray": ("ray",),
    "calibrate": ("aiconfigurator_core", "pyarrow"),
}
SETTINGS = ("COLUMNS", "FORCE_COLOR", "GIGAWATT_TRACE", "NO_COLOR")  # all that is read from the environment


def doctor() -> dict[str, str]:
    """Return what a person who helps would ask first, as text by name."""
    counts = {
        "machines": len(machines.machine_ids()),
        "chips": len(load.chip_ids()),
        "models": len(models.model_ids()),
        "stacks": len(stacks()),
        "sites": len(load.site_ids()),
        "sources": len(load.sources()),
    }
    extras = {name: all(find_spec(package) for package in packages) for name, packages in EXTRAS.items()}
    settings = [f"{name}={os.environ[name]} (environment)" for name in SETTINGS if name in os.environ]
    return {
        "gigawatt": f"{gigawatt.__version__} in {Path(gigawatt.__file__).parent}",
        "python": f"{platform.python_version()} on {platform.platform()}",
        **{name: _version(name) for name in NEEDED},
        "catalogue": ", ".join(f"{count:,} {kind}" for kind, count in counts.items()),
        **{f"extra {name}": "there" if there else f"absent: pip install 'gigawatt[{name}]'"
           for name, there in extras.items()},
        "settings": "; ".join(settings) or "all default",
    }  # fmt: skip


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
