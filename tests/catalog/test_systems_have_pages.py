"""Every system that people name has a working machine, a standard job or why none, a page and a picture."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner

from docs.pages.markdown import ROOT
from gigawatt.catalog.machines import machine, machine_ids
from gigawatt.cli.main import cli
from gigawatt.study.machine_page.page import machine_page
from gigawatt.study.machine_page.picture import picture
from gigawatt.study.machine_page.structure import tiers
from tests.catalog.test_named_systems import NAMED

FOLDER = ROOT / "docs" / "systems"
IDS = [id for id, _, _ in NAMED.values()]
REFUSED = {  # systems without a plan: what the refusal must say, and why that is right
    "inferentia2": ("an inference chip", "its maker lists training for Trainium alone"),
    "google-l4": ("an inference and graphics chip", "its series is offered for graphics-intensive work"),
    "dojo-exapod": ("does not fit", "0.44 GiB a die, less than what a framework keeps for itself"),
}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def pages():
    """Return the document of each system, its standard job planned once."""
    found = {}

    def page(id):
        if id not in found:
            found[id] = machine_page(id)
        return found[id]

    return page


def test_the_pages_are_of_the_systems_of_the_list_and_of_no_other():
    said = tomllib.loads((ROOT / "docs" / "systems.toml").read_text("utf-8"))
    assert said == {id: name for name, (id, _, _) in NAMED.items()}
    assert {path.name for path in FOLDER.iterdir()} == {
        "README.md", *(f"{id}.{end}" for id in IDS for end in ("md", "svg"))
    }  # fmt: skip


@pytest.mark.parametrize("id", IDS)
def test_a_standard_job_is_planned_or_refused_for_the_reason_expected(id, pages):
    job = pages(id)["job"]
    if id in REFUSED:
        assert job["status"] == "refused"
        assert REFUSED[id][0] in job["reason"]
        return
    assert job["status"] == "planned", job
    assert 0.1 < job["mfu"] < 0.8
    assert 1.0 < job["days"] < 150.0
    assert 0.5 < job["goodput"] < 1.0, "a job that is mostly down is not run so: look into its recovery"
    assert job["chips"] >= 0.5 * machine(id).chips
    assert job["days"] >= job["days_without_failures"]
    assert job["band_p50"] > 0
    assert job["facility_energy_j"] > 0
    best = min(row["days"] for row in job["tried"])
    assert job["days"] <= 1.02 * best * (1 + 1e-9)


@pytest.mark.parametrize("id", IDS)
def test_a_page_and_a_picture_name_every_level(id):
    text = (FOLDER / f"{id}.md").read_text("utf-8")
    assert f"({id}.svg)" in text
    drawn = ElementTree.fromstring((FOLDER / f"{id}.svg").read_text("utf-8"))
    words = " ".join(" ".join("".join(t.itertext()) for t in drawn.iter(f"{SVG}text")).split())
    for tier in tiers(machine(id)):
        assert f"| {tier.name} |" in text
        assert tier.name in words
        for figure in tier.figures:
            assert figure.text in " ".join(words.split()), tier.name
    if not machine(id).shipping:
        assert "ANNOUNCED, NOT SHIPPING" in text
        assert "ANNOUNCED, NOT SHIPPING" in words


@pytest.mark.parametrize("id", machine_ids())
def test_a_picture_has_nothing_outside_its_frame_and_no_line_on_another(id):
    drawn = ElementTree.fromstring(picture(machine(id)))
    width, height = float(drawn.get("width")), float(drawn.get("height"))
    own = [t for t in drawn if t.tag == f"{SVG}text"]
    places = [(float(t.get("x")), float(t.get("y")), float(t.get("font-size")), t.text) for t in own]
    for x, y, size, words in places:
        assert x >= 0
        assert size <= y <= height
        # letters of such fonts are half as wide as they are high
        assert x + 0.5 * size * len(words) <= width, words
    by_column = {}
    for x, y, size, words in sorted(places, key=lambda p: p[1]):
        above = by_column.get(x)
        assert above is None or y - above >= 0.9 * size, words
        by_column[x] = y
    for a in drawn.iter(f"{SVG}rect"):
        assert float(a.get("width")) > 0
        assert float(a.get("height")) > 0


@pytest.mark.parametrize("id", IDS)
def test_a_picture_is_of_one_machine_and_always_the_same(id):
    assert picture(machine(id)) == picture(machine(id))
    assert f"What {machine(id).name} is made of".replace("&", "&amp;") in picture(machine(id))
    assert not re.search(r"\b20\d\d-\d\d-\d\dT", picture(machine(id)))  # no time of drawing


@pytest.mark.parametrize("id", machine_ids())
def test_levels_nest_and_multiply_to_the_machine(id):
    found = tiers(machine(id))
    assert [t.chips for t in found] == sorted((t.chips for t in found), reverse=True)
    assert found[-1].chips == 1
    assert found[-1].units == machine(id).chips
    for outer, inner in itertools.pairwise(found):
        assert (outer.holds - 1) * inner.chips < outer.chips <= outer.holds * inner.chips


@pytest.mark.parametrize("id", ["eagle", "dojo-exapod", "inferentia2", "google-gb200"])
def test_machine_show_says_it_all(id, tmp_path):
    run = CliRunner().invoke
    text = run(cli, ["machine", "show", id]).output
    assert "\nstructure\n" in text
    assert "\na standard job\n" in text
    assert "\nfigures\n" in text
    told = json.loads(run(cli, ["machine", "show", id, "--json"]).output)
    assert told["schema"] == "gigawatt/show/1"
    assert [row["level"] for row in told["levels"]] == [tier.name for tier in tiers(machine(id))]
    svg, html = tmp_path / "a.svg", tmp_path / "a.html"
    done = run(cli, ["machine", "show", id, "--svg", str(svg), "--html", str(html)])
    assert (done.exit_code, done.output) == (0, "")
    assert svg.read_text("utf-8").strip() == picture(machine(id)).strip()
    page = html.read_text("utf-8")
    assert "viewport" in page
    assert not re.search(r"(src|href)=[\"']?https?:", page)
    assert picture(machine(id)) in page


def test_a_picture_as_png_needs_its_extra_or_is_one(tmp_path):
    place = tmp_path / "a.png"
    done = CliRunner().invoke(cli, ["machine", "show", "tpu-v4-pod", "--png", str(place)])
    try:
        import vl_convert  # noqa: F401
    except ImportError:
        assert "report" in str(done.exception)
        assert not place.exists()
    else:
        assert place.read_bytes().startswith(b"\x89PNG")


def test_kinds_of_networks_are_drawn_each_in_its_own_way():
    def kinds(id):
        return {tier.kind for tier in tiers(machine(id))}

    assert "torus" in kinds("tpu-v4-pod")
    assert tiers(machine("tpu-v4-pod"))[1].optical
    assert "domain" in kinds("gb200-nvl72")
    assert {"tile", "torus"} <= kinds("dojo-exapod")
    assert {"card", "slice"} <= kinds("flexai-slice")
    assert "sites" in kinds("five-eagles")
    assert "mesh" in kinds("azure-gpt3")
    assert "dragonfly" in kinds("hpc-ai-fusion")
    assert tiers(machine("stargate-abilene"))[0].dims == (8,)
    over = {tier.name: tier.oversubscription for tier in tiers(machine("meta-roce-24k"))}
    assert over["fabric"] == pytest.approx(7.0)


def test_a_weak_figure_is_marked_in_the_picture_and_on_the_page():
    site = tiers(machine("stargate"))[0]
    weak = [figure.text for figure in site.figures if figure.weak]
    assert weak
    for text in (picture(machine("stargate")), (FOLDER / "stargate.md").read_text("utf-8")):
        assert all(f"{words}*" in text for words in weak)
