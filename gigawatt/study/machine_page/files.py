"""The picture and the page of a machine by name, for the faces."""

from __future__ import annotations

from gigawatt.catalog import machines
from gigawatt.study.machine_page.html import html
from gigawatt.study.machine_page.page import machine_page
from gigawatt.study.machine_page.picture import picture, png


def machine_svg(name: str) -> str:
    """Return the picture of a machine as SVG.

    Raises: InputError for a name that is not known.
    """
    return picture(machines.find_machine(name))


def machine_png(name: str) -> bytes:
    """Return the picture of a machine as PNG.

    Raises: InputError for a name that is not known; MissingExtraError without what draws it.
    """
    return png(machine_svg(name))


def machine_html(name: str, *, job: bool = True) -> str:
    """Return the page of a machine, its picture in it.

    Raises: InputError for a name that is not known.
    """
    return html(machine_page(name, job=job), picture=machine_svg(name))
