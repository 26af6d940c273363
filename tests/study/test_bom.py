"""Bills of materials: parts add up, published counts come out, and what is not known is said by name."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.catalog.load import defaults
from gigawatt.catalog.machines import machine, machine_ids
from gigawatt.catalog.parts import parts, parts_of
from gigawatt.cli.main import run
from gigawatt.errors import GigawattError, InputError, UnknownFactError
from gigawatt.fabric import Hall, longest_cable_m, mean_cable_m
from gigawatt.study import bom, bom_document, bom_rows, cable_readings, cards, cards_document, schema
from gigawatt.study.bom_cables import default_hall

EARTH_M = 40_075e3


def tier(found, name):
    return next(t for t in found.tiers if t.name == name)


@pytest.mark.parametrize("id", machine_ids())
def test_every_machine_has_a_bill_or_is_told_what_is_missing(id):
    found = bom(id)
    document = json.loads(json.dumps(bom_document(found), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("bom")), jsonschema.Draft202012Validator)
    assert found.nodes * found.machine.chips_per_node >= found.machine.chips
    assert bool(found.tiers) != bool(found.network_told)
    assert found.racks or any(m.startswith("racks") for m in found.missing)
    assert found.power_w is not None or any(m.startswith("power of the whole") for m in found.missing)
    assert found.capex or any("price" in m for m in found.missing)


@pytest.mark.parametrize("id", ["eagle", "colossus", "tpu-v4-pod", "frontier", "meta-roce-24k"])
def test_the_parts_add_up_to_the_power_that_plans_use(id):
    found, whole = bom(id), machine(id)
    expected = float(whole.facts["it_power_per_chip_w"].value) * whole.chips * whole.site.pue
    assert sum(d.power_w for d in found.draws) == pytest.approx(expected)
    assert found.power_w == pytest.approx(expected)
    assert found.training_power_w == pytest.approx(expected * 8.4 / 10.2)


def test_the_prices_add_up_and_low_is_below_high():
    found = bom("eagle")
    for i in range(3):
        assert found.capex_usd[i] == pytest.approx(sum(p.usd[i] for p in found.capex))
    assert {p.name for p in found.capex} == {"servers", "switches", "modules", "facility"}
    assert all(p.usd[0] <= p.usd[1] <= p.usd[2] and p.source for p in found.capex)


def test_four_units_of_a_superpod_as_its_reference_architecture_counts_them():
    """RA-11333: 32 leaves, 16 spines, 1,020 and 1,024 cables, 508 modules in servers, 1,536 in switches."""
    found = bom("superpod-h100")
    assert (found.nodes, tier(found, "leaf").switches, tier(found, "spine").switches) == (127, 32, 16)
    assert [c.cables for c in found.cables] == [1020, 1024]
    server, spine = found.cables
    assert server.lower.count == pytest.approx(508, abs=2)
    in_switches = server.upper.count + spine.lower.count + spine.upper.count
    assert in_switches == pytest.approx(1536, abs=2)


def test_segments_of_a_dual_plane_fabric_have_the_leaves_that_its_paper_says():
    """Alibaba HPN: 15 segments of 1,024 chips; 128 ports down a leaf, two planes: 16 leaves a segment."""
    found = bom("alibaba-hpn")
    assert (found.network.planes, found.network.radix, found.network.links_per_node) == (2, 256, 16)
    assert tier(found, "leaf").switches == 15 * 16


def test_leaves_of_colossus_join_the_512_chips_of_eight_racks():
    found = bom("colossus")
    block = tier(found, "leaf").block_nodes
    assert block * found.machine.chips_per_node == 512
    assert block * found.machine.chips_per_node / found.racks.chips_per_rack == 8


def test_scale_up_switches_as_published():
    assert bom("gb200-nvl72").scale_up.switches == 18
    assert bom("gb200-nvl72").scale_up.links == 72 * 18
    assert bom("superpod-h100").scale_up.switches == 4 * 127
    assert bom("cloudmatrix384").scale_up.modules == 6912
    pod = bom("tpu-v4-pod").scale_up
    assert (pod.optical_switches, pod.links) == (48, 3 * 4096)


def test_cables_are_counted_link_by_link_and_metre_by_metre():
    found = bom("eagle")
    assert sum(c.links for c in found.cables) == sum(t.links_below for t in found.tiers) == 3 * 14_400
    assert found.cable_m == pytest.approx(sum(c.cables * c.mean_m for c in found.cables))
    assert found.strand_m == pytest.approx(8 * found.cable_m)
    for run_ in found.cables:
        for end in (run_.lower, run_.upper):
            assert parts()[end.part].number("reach_m") >= run_.longest_m


def test_a_switch_with_its_modules_stays_below_its_nameplate():
    for part in parts_of("switch"):
        if part.knows("power_w"):
            cage = part.number("cage_bytes_per_s")
            cages = part.number("ports") * part.number("port_bytes_per_s") / cage
            fits = [p for p in parts_of("module") if p.number("port_bytes_per_s") == cage]
            plugged = max(p.number("power_w") for p in fits) * cages
            assert part.number("power_w") + plugged <= part.facts["power_w"].high


@given(o=st.sampled_from([1.0, 1.5, 2.0, 4.0, 7.0]))
def test_oversubscription_saves_switches_and_never_servers(o):
    full, less = bom("eagle"), bom("eagle", oversubscription=o)
    assert less.nodes == full.nodes
    assert less.switches <= full.switches
    assert less.cable_m <= full.cable_m * 1.01


def test_rails_that_are_not_joined_need_no_cores():
    """Two tiers of 64 ports hold 2,048 servers a rail."""
    found = bom("eagle", planes=8)
    assert [t.name for t in found.tiers] == ["leaf", "spine"]
    assert tier(found, "leaf").switches == 8 * 57


def test_given_lengths_are_taken_and_more_floor_makes_longer_cables():
    short = bom("eagle", lengths_m={"in row": 3.0, "in hall": 30.0, "between halls": 100.0})
    assert [c.mean_m for c in short.cables] == [3.0, 30.0, 100.0]
    assert bom("eagle", area_per_rack_m2=6.0).cable_m > bom("eagle").cable_m


def test_copper_is_taken_where_it_reaches_and_needs_no_module():
    found = bom("meta-roce-24k", lengths_m={"in hall": 2.0})
    assert found.cables[0].lower is None
    assert found.cables[0].strands_per_link == 0


HALLS = st.builds(
    Hall,
    rack_pitch_m=st.floats(0.5, 1.0),
    row_pitch_m=st.floats(2.0, 5.0),
    racks_per_row=st.integers(4, 30),
    racks_per_hall=st.integers(100, 2000),
    hall_gap_m=st.floats(0.0, 50.0),
    rise_m=st.floats(0.0, 3.0),
    slack_fraction=st.floats(0.0, 0.3),
    in_rack_m=st.just(0.5),
)


@given(hall=HALLS, racks=st.integers(2, 5000))
def test_no_cable_is_shorter_than_its_mean_and_all_grow_with_the_hall(hall, racks):
    mean, longest = float(mean_cable_m(racks, hall)), float(longest_cable_m(racks, hall))
    assert 2.0 * hall.rise_m <= mean <= longest
    wider = default_hall(area_per_rack_m2=50.0)
    assert float(mean_cable_m(racks, wider)) >= float(mean_cable_m(racks, default_hall()))


@given(racks=st.integers(2, 390))
def test_the_mean_of_a_row_and_a_hall_is_that_of_racks_placed_one_by_one(racks):
    """Racks set out on the floor, each cabled along the trays to the middle; a square may be a row off."""
    hall = default_hall()
    pitch, row = float(hall.rack_pitch_m), float(hall.row_pitch_m)
    columns = racks if racks <= hall.racks_per_row else max(round((racks * row / pitch) ** 0.5), 1)
    places = [(pitch * (i % columns), row * (i // columns)) for i in range(racks)]
    middle = [sum(p[axis] for p in places) / racks for axis in (0, 1)]
    ways = [abs(x - middle[0]) + abs(y - middle[1]) for x, y in places]
    placed = (1.0 + hall.slack_fraction) * (2.0 * hall.rise_m + sum(ways) / racks)
    assert float(mean_cable_m(racks, hall)) == pytest.approx(placed, rel=0.15)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"switch": "qm9701"}, "qm9700"),
        ({"radix": 1}, "radix"),
        ({"oversubscription": 0.5}, "oversubscription"),
        ({"planes": 3}, "planes = 3"),
        ({"area_per_rack_m2": -1.0}, "area"),
        ({"lengths_m": {"in orbit": 3.0}}, "in orbit"),
    ],
)
def test_bad_words_are_refused_in_one_sentence(call, words):
    with pytest.raises(InputError, match=words):
        bom("eagle", **call)


def test_every_part_and_every_default_has_a_source_and_a_range_that_holds_it():
    for part in parts().values():
        for fact in part.facts.values():
            low = fact.value if fact.low is None else fact.low
            high = fact.value if fact.high is None else fact.high
            assert low <= fact.value <= high, f"{part.id}.{fact.name}"
    assert defaults()["rack_pitch_m"].kind == "assumed"


def test_rows_of_the_table_hold_what_the_document_holds(capsys):
    assert run(["machine", "bom", "eagle", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    document = bom_document(bom("eagle"))
    assert len(rows) == len(bom_rows(document))
    metres = sum(float(r["cable_m"]) for r in rows if r["cable_m"])
    assert metres == pytest.approx(document["result"]["cable_m"])


def test_the_claim_of_five_times_round_the_earth_under_each_reading():
    """No month of five Eagles has so much cable; as strands of fibre some thirty Eagles do."""
    month, fleet = cable_readings("eagle", 5 * EARTH_M, counts=(5, 30))
    assert month.links == 216_000
    assert month.cable_m_per_link == pytest.approx(927.7, abs=0.1)
    assert month.cable_m_per_link > month.longest_m
    assert fleet.cable_m_per_link == pytest.approx(154.6, abs=0.1)
    assert fleet.strand_m_per_link == pytest.approx(19.3, abs=0.1)
    assert month.machines_if_cable > 200
    low, high = month.spread
    assert low < 1.0 < high
    assert month.machines_if_strands == pytest.approx(month.machines_if_cable / 8)


def test_a_claim_on_a_machine_whose_links_cannot_be_counted_is_refused():
    with pytest.raises(UnknownFactError, match="ironwood"):
        cable_readings("ironwood-pod", 1e6)


def test_a_gigawatt_buys_as_many_h100_as_analysts_say():
    """550,000 to 715,000, by how much is counted around the chip."""
    (found,) = cards(power_w=1e9, chips=["h100-sxm"]).cards
    assert 550_000 < found.chips < 715_000
    assert found.power_w <= 1e9
    assert found.chips % 8 == 0


@given(power_w=st.floats(1e6, 1e10))
def test_a_hand_never_costs_more_than_is_given(power_w):
    for found in cards(power_w=power_w).cards:
        assert found.power_w <= power_w * (1 + 1e-9)
        assert power_w - found.power_w <= found.meter_w_per_chip * 8
    for found in cards(budget_usd=power_w).cards:
        assert found.capex_usd[1] <= power_w * (1 + 1e-9)


def test_a_hand_names_what_it_leaves_out_and_keeps_its_schema():
    hand = cards(budget_usd=1e11)
    assert ("tpu-v7", "no price is known for 'tpu-v7'") in hand.left_out
    document = json.loads(json.dumps(cards_document(hand), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("cards")), jsonschema.Draft202012Validator)
    with pytest.raises(InputError, match="nothing to spend"):
        cards()
    with pytest.raises(GigawattError, match="h100-sxm"):
        cards(power_w=1e9, chips=["h100-sx"])


@given(hall=HALLS, racks=st.integers(1, 5000), scale=st.floats(0.1, 10.0))
def test_a_hall_drawn_to_another_scale_has_cables_of_that_scale(hall, racks, scale):
    lengths = {n: getattr(hall, n) * scale for n in ("rack_pitch_m", "row_pitch_m", "hall_gap_m", "rise_m")}
    drawn = dataclasses.replace(hall, in_rack_m=hall.in_rack_m * scale, **lengths)
    for formula in (mean_cable_m, longest_cable_m):
        assert float(formula(racks, drawn)) == pytest.approx(scale * float(formula(racks, hall)))
