"""gigawatt claims [FILE]."""

from __future__ import annotations

import json

import click

from gigawatt.cli.output import emit, progress_bar, refuse_place
from gigawatt.errors import GigawattError
from gigawatt.study import claim_files, claims, claims_document


@click.command("claims")
@click.argument("file", required=False)
@click.option("--show", metavar="ID", help="One claim: its figures, how each is known, and its tests.")
@click.option("--json", "as_json", is_flag=True, help="All claims as one JSON document.")
@click.option("--html", metavar="FILE", help="Write claims and pictures as one page that needs no network.")
@click.option("-o", "--output", metavar="FILE", help="Write there in place of the terminal.")
def command(
    *,
    file: str | None,
    show: str | None,
    as_json: bool,
    html: str | None,
    output: str | None,
) -> None:
    """Can an article's figures be true? Each claim recomputed, and a verdict.

    FILE is a claim file of your own, or the name of one that comes with gigawatt; without it, these are
    listed. Nothing is looked up: figures come from the catalogue and the model now, and the verdict follows
    from them by the rules in the file. The exit code is 1 when one could not be computed.

    \b
    gigawatt claims ai-black-hole-2024
    gigawatt claims ai-black-hole-2024 --show 12
    gigawatt claims my-article.yaml --html page.html
    """
    for place in (output, html):
        refuse_place(place)
    if file is None:
        emit(_listed(as_json=as_json), output)
        return
    with progress_bar("computing claims") as progress:
        found = claims(file, only=show, progress=progress)
    document = claims_document(found)
    if html:
        from gigawatt.study.claims.page import page

        emit(page(document), html)
    if as_json:
        emit(json.dumps(document, indent=1, sort_keys=True, allow_nan=False), output)
    else:
        from gigawatt.cli.claims_text import claims_text, shown_text

        emit(claims_text(document) if show is None else shown_text(document), output)
    if found.failed or found.undrawn:
        what = ", ".join([one.id for one in found.failed] + [title for title, _ in found.undrawn])
        raise GigawattError(f"not computed: {what}; the output says why")


def _listed(*, as_json: bool) -> str:
    rows = [{"name": name, "title": title} for name, title in claim_files().items()]
    if as_json:
        return json.dumps({"schema": "gigawatt/claim-files/1", "files": rows}, indent=1)
    width = max((len(row["name"]) for row in rows), default=0)
    lines = [f"{row['name']:{width}}  {row['title']}" for row in rows]
    return "\n".join([*lines, "", "run one: gigawatt claims NAME; or a file of your own: docs/claims.md"])
