"""What a line of text says of a machine's network: chip, scale-up domain, NICs, fabric, adding switches."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

from gigawatt.catalog import cluster
from gigawatt.catalog.load import chip, chip_ids, defaults
from gigawatt.catalog.records import Chip, Level, Machine
from gigawatt.errors import UnknownFactError
from gigawatt.study.row_cells import RowError

FORMS = (
    (r"a100\S*[ -]*40 ?gb?\b", "a100-sxm-40gb"),
    (r"h100[ -]*pcie", "h100-pcie"),
    (r"h200[ -]*nvl\b", "h200-nvl"),
)
SHAPES = (  # servers of clouds, where a text names no chip
    (r"\bp4de\b", "a100-sxm"), (r"\bp4d\b|bm\.gpu4\.8", "a100-sxm-40gb"), (r"\bp5en?\b", "h200-sxm"),
    (r"\bp5\b|\ba3\b", "h100-sxm"), (r"\ba4\b", "b200-sxm"),
)  # fmt: skip
FABRICS = (  # the first that matches; the last two are clouds that say no more
    (r"\befa", "EFA"), (r"slingshot|\balps\b|\blumi\b|frontier|perlmutter", "Slingshot-11"),
    (r"infiniband|\bib\b|\b[xneh]dr\d*|quantum|leonardo", "InfiniBand"), (r"roce|spectrum", "RoCE"),
    (r"tcpx|ethernet|\bgbe\b", "Ethernet"), (r"\bp[456](?:d|de|e|en)?\b|\baws|awsome", "EFA"),
    (r"\boci\b|oracle|bm\.gpu", "RoCE"), (r"\ba[34]\b|\bgcp\b", "Ethernet"),
)  # fmt: skip
LINK_GBIT = {"xdr": 800.0, "ndr200": 200.0, "ndr": 400.0, "hdr100": 100.0, "hdr": 200.0, "edr": 100.0}
CARD_GBIT = {"5": 100.0, "6": 200.0, "7": 400.0, "8": 800.0}  # ConnectX generations
SERVER_GBIT = (  # what a cloud's server has in all, where the text gives its shape and no rate
    (r"\bp4de?\b", 400.0), (r"\bp5(en)?\b", 3200.0), (r"\bp6-b200", 3200.0), (r"\bp6-b300", 6400.0),
    (r"bm\.gpu4\.8|bm\.gpu\.a100", 1600.0), (r"bm\.gpu\.h[12]00", 3200.0),
)  # fmt: skip
ADDS_NOT = r"nvls (off|disabled)|nvls_enable=0|sharp disabled|no nvls|nvls=0|ring, nvls off"
RACK = 8  # a domain of more chips is a rack,
TRAY = 4  # of servers of four


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """How chips are grouped into servers, as far as a text says."""

    nodes: int | None
    per_node: int | None
    racks: int | None


def chip_of(text: str) -> Chip:
    """Return the chip that a text names.

    Raises: RowError when it names none of the catalogue's.

    >>> chip_of("2x8xA100-40G OCI").id, chip_of("8xH100 SXM5 DGX H100").id, chip_of("job h100-64-sharp").id
    ('a100-sxm-40gb', 'h100-sxm', 'h100-sxm')
    """
    low = text.lower()
    for words, id in FORMS:
        if re.search(words, low):
            return chip(id)
    for word in re.findall(r"(?<![a-z])(?:\d+x)*([a-z]{1,3}-?\d+[a-z]{0,2})(?![a-z0-9])", low):
        plain = word.replace("-", "")
        known = [id for id in chip_ids() if id.split("-")[0] == plain]
        if known:
            return chip(next((id for id in known if id == plain or id.endswith("-sxm")), known[0]))
    for words, id in SHAPES:
        if re.search(words, low):
            return chip(id)
    tpu = re.search(r"tpu[- ]?(v\d+[a-z]?)", low)
    if tpu and f"tpu-{tpu[1]}" in chip_ids():
        return chip(f"tpu-{tpu[1]}")
    raise RowError("unknown_chip", f"system = {text!r} names no chip of the catalogue")


def servers_of(text: str) -> Servers:
    """Return what a text says of nodes, chips per node and racks.

    >>> servers_of("4x8xH100 HGX, 8x NDR400 IB").per_node, servers_of("GB200 NVL72 two racks").racks
    (8, 2)
    """
    low = text.lower()
    for word, digit in (
        ("one", "1"),
        ("two", "2"),
        ("three", "3"),
        ("four", "4"),
        ("eight", "8"),
        ("single", "1"),
    ):
        low = re.sub(rf"\b{word}\b", digit, low)
    racks = re.search(r"(\d+)[ -]*racks?\b", low)
    chain = re.search(r"\b(\d+)x(\d+)x(?=[a-z])", low)
    if chain:
        return Servers(nodes=int(chain[1]), per_node=int(chain[2]), racks=int(racks[1]) if racks else None)
    nodes = re.search(r"(?<![a-z\d])(\d+)[ -]*(?:nodes?|servers?|hosts?)\b", low)
    single = re.search(r"^\W*(\d+)x(?=[a-z]+\d)(?!.*\d+ nodes)", low)
    per_node = re.search(r"(\d+)[ -]*gpus?[ /]*(?:per)?[ ]*(?:node|server|tray)", low)
    return Servers(
        nodes=1 if single else int(nodes[1]) if nodes else None,
        per_node=int(single[1]) if single else int(per_node[1]) if per_node else None,
        racks=int(racks[1]) if racks else None,
    )


def network_bytes_per_s(text: str, per_node: int) -> float | None:
    """Return a chip's share of its server's NICs; None where a text gives no rate.

    A count of NICs belongs to one server; a rate without a count is one NIC per chip.

    >>> network_bytes_per_s("2x8xH100 OCI, 16x200G RoCE", 8), network_bytes_per_s("2x8xH200 NDR400 IB", 8)
    (50000000000.0, 50000000000.0)
    """
    low = re.sub(r"\b(\d+x)+(?=[a-z]+\d+[^ ,]*)[a-z]+\d+[^ ,]*", " ", text.lower())  # the chips themselves
    found = re.search(
        r"(?:\b(\d+) ?x ?|\b)(?:cx-?|connectx-?)(\d)(?: ([xneh]dr)(\d*)| (\d+) ?g(?:b|bit/s|bps)?\b)?", low
    )
    if found:
        count, rate = found[1], _rate(found[3], found[4]) or _number(found[5]) or CARD_GBIT.get(found[2])
    else:
        found = re.search(r"(?:\b(\d+) ?x ?|\b)([xneh]dr)[- ]?(\d*)\b", low)
        count, rate = (found[1], _rate(found[2], found[3])) if found else (None, None)
    if rate is None:
        found = re.search(r"(?:\b(\d+) ?x ?|\b)(\d+) ?g(?:b/s|bit/s|bps|be)?\b(?! ?b)", low)
        count, rate = (found[1], _number(found[2])) if found else (None, None)
    if rate is None:
        whole = next((g for words, g in SERVER_GBIT if re.search(words, text.lower())), None)
        return None if whole is None else whole * 1e9 / 8 / 8
    return rate * 1e9 / 8 * (int(count) / per_node if count else 1.0)


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def _rate(kind: str | None, digits: str | None) -> float | None:
    if not kind:
        return None
    return LINK_GBIT.get(f"{kind}{digits}") or _number(digits) or LINK_GBIT[kind]


def fabric_of(*texts: str) -> str:
    """Return the fabric that the first telling text names, InfiniBand where none does.

    >>> fabric_of("2x8xA100-80G p4de.24xlarge, 4x100G EFA"), fabric_of("GB200 2 racks", "oci-hpc-oke README")
    ('EFA', 'RoCE')
    """
    for text in texts:
        for words, name in FABRICS:
            if re.search(words, text.lower()):
                return name
    return "InfiniBand"


def machine_in_words(system: str, chips: int, *, source: str = "", notes: str = "") -> Machine:
    """Return the machine that a measurement ran on.

    Raises: RowError when the chip, or a rate that is needed, is not known.
    """
    try:
        part = chip_of(system)
    except RowError:
        part = chip_of(source) if source else chip_of(system)
    per_unit = domain(servers_of(system), part, chips=chips)
    rack = int(part.number("scale_up_chips")) > RACK
    per_node = servers_of(system).per_node or (TRAY if rack else min(per_unit, RACK))
    rate = network_bytes_per_s(system, per_node)
    try:
        plain = cluster(part, chips=chips, chips_per_node=per_node, fabric=fabric_of(system, source))
        inner = dataclasses.replace(plain.scale_up, chips=_inner_chips(plain.scale_up, per_unit))
        outer = rate or (part.number("nic_bytes_per_s") if per_unit < chips else 0.0)
    except UnknownFactError as error:
        raise RowError("incomplete", f"system = {system!r} gives no rate, and {error}") from None
    if re.search(ADDS_NOT, f"{system} {notes}".lower()):
        inner = dataclasses.replace(inner, reduces_in_network=False)
    levels: tuple[Level, ...] = (inner,)
    if per_unit < chips:
        latency = float(defaults()["network_latency_s"].value)
        levels = (inner, Level(name="fabric", chips=chips, bytes_per_s=outer, latency_s=latency))
    return dataclasses.replace(plain, levels=levels)


def _inner_chips(level: Level, per_unit: int) -> int:
    return level.chips if level.topology != "switch" else per_unit


def domain(said: Servers, part: Chip, *, chips: int) -> int:
    """Return how many of the chips share one scale-up domain.

    Definition: a rack's share of them where the domain is a rack, else a server's.
    """
    whole = int(part.number("scale_up_chips"))
    if whole > RACK:
        racks = said.racks or -(-chips // whole)
        return max(1, min(whole, -(-chips // racks)))
    per_node = said.per_node or (-(-chips // said.nodes) if said.nodes else whole)
    return max(1, min(per_node, whole, chips))
