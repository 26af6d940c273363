"""Each number of the catalogue has parents: a source, a way of knowing, and figures that contradict it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gigawatt.catalog.load import chip, chip_ids, defaults, facts_of, site, site_ids, sources
from gigawatt.catalog.machines import find_machine, machine, machine_ids
from gigawatt.catalog.models import model, model_ids
from gigawatt.catalog.records import Fact
from gigawatt.errors import FileFormatError

KINDS = {"assumed", "estimated", "spec", "measured", "derived"}


def owners() -> Iterator[tuple[str, Mapping[str, Fact]]]:
    """Return every holder of facts, with them."""
    yield from ((f"chip {id}", chip(id).facts) for id in chip_ids())
    yield from ((f"machine {id}", machine(id).facts) for id in machine_ids())
    yield from ((f"site {id}", site(id).facts) for id in site_ids())
    yield from ((f"model {id}", {**model(id).facts, **model(id).recipe}) for id in model_ids())
    yield "defaults", defaults()


def every_fact() -> Iterator[tuple[str, Fact]]:
    for owner, facts in owners():
        for fact in facts.values():
            yield from ((f"{owner}: {one.name}", one) for one in (fact, *fact.rivals))


def test_every_number_has_a_source_and_a_way_of_knowing() -> None:
    facts = list(every_fact())
    assert len(facts) > 2000
    for name, fact in facts:
        cited = fact.source.split(";")
        assert fact.kind in KINDS, name
        assert all(s in sources() for s in cited), name
        assert fact.source != "user", name


def test_what_is_only_recalled_is_no_measurement() -> None:
    loose = [name for name, fact in every_fact() if fact.source == "recalled" and fact.kind == "measured"]
    assert loose == []
    spoken = [name for name, fact in every_fact() if "recalled" in fact.where and fact.kind == "measured"]
    assert spoken == []


def test_a_rival_differs_from_the_figure_that_was_chosen_and_says_why() -> None:
    rivals = [(o, f, r) for o, facts in owners() for f in facts.values() for r in f.rivals]
    assert len(rivals) > 50
    for owner, fact, rival in rivals:
        assert rival.value != fact.value, f"{owner}: {fact.name}"
        assert rival.where, f"{owner}: {fact.name}"


def test_a_range_holds_its_value() -> None:
    for name, fact in every_fact():
        if not isinstance(fact.value, str):
            low = fact.value if fact.low is None else fact.low
            high = fact.value if fact.high is None else fact.high
            assert low <= fact.value <= high, name


def test_every_source_says_who_and_what() -> None:
    assert all(s.producer and s.title for s in sources().values())


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ('value = "9 kW"\nkind = "spec"\nsource = ""', "source = ''"),
        ('value = "9 kW"\nkind = "spec"\nsource = "hearsay"', "source = 'hearsay'"),
        ('value = "9 kW"\nkind = "rumour"\nsource = "rack"', "kind"),
        ('kind = "spec"\nsource = "rack"', "value"),
        ('value = "9 kg"\nkind = "spec"\nsource = "rack"', "it_power_per_chip_w"),
    ],
)
def test_a_number_without_a_known_source_does_not_load(tmp_path: Path, row: str, complaint: str) -> None:
    file = tmp_path / "mine.toml"
    head = 'chip = "h100-sxm"\nchips = 8\n[facts.it_power_per_chip_w]\n'
    file.write_text(head + 'value = "1 kW"\nkind = "spec"\nsource = "rack"\n')
    assert find_machine(str(file)).facts["it_power_per_chip_w"].value == 1000.0
    file.write_text(f"{head}{row}\n")
    with pytest.raises(FileFormatError, match=complaint):
        find_machine(str(file))


def test_a_row_of_the_catalogue_needs_a_source_of_its_own() -> None:
    good = {"value": "80 GB", "kind": "spec", "source": "aic"}
    assert facts_of({"hbm_bytes": good}, where="chips/x.toml")["hbm_bytes"].value == 80e9
    for missing in good:
        with pytest.raises(FileFormatError, match=f"chips/x.toml: facts.hbm_bytes: {missing}"):
            facts_of({"hbm_bytes": {k: v for k, v in good.items() if k != missing}}, where="chips/x.toml")


def test_a_machine_file_may_keep_what_contradicts_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'chip = "h100-sxm"\nchips = 8\n'
        '[facts.facility_w]\nvalue = "12 kW"\nkind = "estimated"\nsource = "rack"\n'
        '[[facts.facility_w.rivals]]\nvalue = "14 kW"\nkind = "measured"\nsource = "pue"\nwhere = "a meter"\n'
    )
    (rival,) = find_machine(str(file)).facts["facility_w"].rivals
    assert (rival.value, rival.kind, rival.where) == (14_000.0, "measured", "a meter")


def n(owner: str, name: str) -> float:
    """Return a number of the catalogue: of a chip, else of a machine."""
    facts = chip(owner).facts if owner in chip_ids() else machine(owner).facts
    return float(facts[name].value)


HALVES = {"mi250x-gcd": "mi250x", "neuroncore-v2": "trn1"}
PCIE4_X16 = 16e9 * 16 * 128 / 130 / 8  # 16 GT/s a lane, 128b/130b coding
DERIVED = {  # owner, fact: how it follows from others
    ("t4", "scale_up_bytes_per_s"): lambda: PCIE4_X16 / 2,
    ("a10", "scale_up_bytes_per_s"): lambda: PCIE4_X16,
    ("l4", "scale_up_bytes_per_s"): lambda: PCIE4_X16,
    ("l40s", "scale_up_bytes_per_s"): lambda: PCIE4_X16,
    ("ascend-910b-tenth", "scale_up_chips"): lambda: 10 * n("ascend-910b", "scale_up_chips"),
    ("mi250x-gcd", "scale_up_chips"): lambda: 2 * n("mi250x", "scale_up_chips"),
    ("neuroncore-v2", "scale_up_chips"): lambda: 2 * n("trn1", "scale_up_chips"),
    ("mi350x", "peak_fp8_flop_per_s"): lambda: 2 * n("mi350x", "peak_bf16_flop_per_s"),
    ("dojo-d1", "system_w"): lambda: n("dojo-tile", "system_w") / 25,
    ("gpu-max-1550", "nic_bytes_per_s"): lambda: 8 * 200e9 / 8 / 6,
    ("five-eagles", "hpl_rmax_flop_per_s"): lambda: 5 * n("eagle", "hpl_rmax_flop_per_s"),
    ("jupiter", "hpl_power_w"): lambda: n("jupiter", "hpl_rmax_flop_per_s") / 60.62e9,
    ("jupiter", "it_power_per_chip_w"): lambda: n("jupiter", "hpl_power_w") / machine("jupiter").chips,
    ("xai-memphis", "pue"): lambda: 181 / 150,
    ("moonlight-16b-a3b", "published_params"): lambda: 15.29e9 + 2 * 163_840 * 2048,
}


def derived_facts() -> Iterator[tuple[str, Fact]]:
    for owner, facts in owners():
        kind, _, id = owner.partition(" ")
        for fact in facts.values():
            nameplate = kind == "machine" and fact.name == "it_power_per_chip_w" and "x 1.1" in fact.note
            inherited = kind == "machine" and fact is machine(id).chip.facts.get(fact.name)
            if fact.kind == "derived" and not nameplate and not inherited:
                yield id, fact


def test_derived_facts_follow_from_the_facts_that_they_name() -> None:
    for owner, fact in derived_facts():
        if (owner, fact.name) in DERIVED:
            expected = DERIVED[owner, fact.name]()
        elif owner in HALVES:
            expected = n(HALVES[owner], fact.name) / 2
        else:
            assert owner == "ascend-910b-tenth", f"{owner}: {fact.name} has no rule here"
            expected = n("ascend-910b", fact.name) / 10
        assert fact.value == pytest.approx(expected, rel=4e-3), f"{owner}: {fact.name}"


def test_nameplate_power_is_the_servers_and_a_tenth_for_the_network() -> None:
    eos = machine("eos")
    said = eos.facts["it_power_per_chip_w"]
    assert said.kind == "derived"
    assert said.value == pytest.approx(1.1 * n("h100-sxm", "system_w"))
