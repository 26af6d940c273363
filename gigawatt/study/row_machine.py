"""The machine that a row of a table describes: its chips, servers and network, and the number format."""

from __future__ import annotations

import re

from gigawatt.catalog.cluster import cluster
from gigawatt.catalog.load import chip, chip_by_alias
from gigawatt.catalog.records import Chip, Machine
from gigawatt.errors import InputError, UnknownFactError
from gigawatt.study.row_cells import Row, RowError, amount, positive

CHIP_WORDS = (  # of printed names that are nobody's alias; the first that matches
    (r"\bgb300", "gb300"),
    (r"\bgb200", "gb200"),
    (r"\bgh200", "gh200-96gb"),
    (r"\bb300", "b300-sxm"),
    (r"\bb200", "b200-sxm"),
    (r"\bh200.*nvl\b", "h200-nvl"),
    (r"\bh200", "h200-sxm"),
    (r"\bh800", "h800-sxm"),
    (r"\bh20\b", "h20-sxm"),
    (r"\bh100.*pcie", "h100-pcie"),
    (r"\bh100.*9[46] ?gb", "h100-sxm-96gb"),
    (r"\bh100", "h100-sxm"),
    (r"\ba100.*40 ?gb", "a100-sxm-40gb"),
    (r"\ba100.*64 ?gb", "a100-custom-64gb"),
    (r"\ba100", "a100-sxm"),
    (r"\ba800", "a800-sxm"),
    (r"\bl40s", "l40s"),
    (r"\bv100", "v100-sxm2-32gb"),
    (r"\bmi250x.*gcd", "mi250x-gcd"),
    (r"\bmi250x", "mi250x"),
    (r"\bmi(250|300a|300x|325x|350x|355x)\b", ""),  # its own word is the id
    (r"\btpu.?(v2|v3|v4|v5e|v5p|v6e)", ""),
    (r"v5 ?lite", "tpu-v5e"),
    (r"trillium", "tpu-v6e"),
    (r"tpu.?(v?7x?)|ironwood", "tpu-v7"),
    (r"neuroncore-v2|trn1.*core", "neuroncore-v2"),
    (r"trainium ?1|\btrn1", "trn1"),
    (r"trainium ?2|\btrn2", "trn2"),
    (r"gaudi.{0,4}2", "gaudi2"),
    (r"gaudi.{0,4}3", "gaudi3"),
    (r"ascend.?910c", "ascend-910c"),
    (r"ascend.?910", "ascend-910b"),
)
PCIE_CHIPS = ("l40s", "l4", "a10", "t4", "h200-nvl")
FABRICS = (  # words of a system's description, and the fabric they mean
    (r"slingshot|frontier|perlmutter|\balps\b|clariden|\blumi\b", "Slingshot"),
    (r"\befa\b|\baws\b|\bp[45]d?e?\b|\btrn\d", "EFA"),
    (r"infiniband|\bndr\b|\bhdr\b", "InfiniBand"),
    (r"a3 mega|\bgcp\b|google", "Ethernet"),
    (r"roce|ethernet|gbe\b|spectrum|bm\.gpu|ibm cloud|huawei|atlas", "RoCE"),
)
FAMILY_FABRICS = {  # what a family's servers are built with where no word says otherwise
    "ascend": "RoCE",
    "gaudi": "RoCE",
    "trainium": "EFA",
    "tpu": "Ethernet",
}
# Azure's ND H100 v5 and ND H200 v5 give each GPU 400 Gbit/s of InfiniBand (Microsoft Learn, "ND H100 v5 sizes
# series"); submitters' sheets print other figures for the same machine.
RATED_SYSTEMS = ((r"\bnd_?h[12]00_v5|\bndv5\b", 50e9),)
FORMATS = (  # words of a precision, and the dtype of linear layers; the first that matches
    (r"mx-?fp8|fp8[-_ ]?mx|mxfp8", "mxfp8"),
    (r"nv-?fp4|mx-?fp4|\bfp4", "nvfp4"),
    (r"fp8|float8|e4m3|hfp8", "fp8"),
    (r"int8|aqt", "int8"),
    (r"bf16|bfloat16", "bf16"),
    (r"fp16|float16|half", "fp16"),
    (r"tf32", "tf32"),
    (r"fp32|float32|single", "fp32"),
)
BLOCK_SCALED = ("blackwell", "rubin", "cdna4", "cdna5")  # families that multiply scaled blocks in hardware


def row_machine(row: Row) -> Machine:
    """Return the machine of a row: chips, servers and network.

    Raises: RowError for an unknown chip or an unknown network rate.
    """
    part = row_chip(row["accelerator"])
    try:
        return cluster(
            part,
            chips=positive(row, "n_accel"),
            chips_per_node=positive(row, "accel_per_node", default=8),
            network_bytes_per_s=network_rate(row),
            fabric=row_fabric(row, part),
        )
    except UnknownFactError as error:
        raise RowError("incomplete", f"interconnect_inter_GBps_per_gpu ({error})") from None


def row_chip(text: str) -> Chip:
    """Return the chip of a printed accelerator name: by its exact alias, else by the words in it.

    Raises: RowError when no chip can be meant.

    >>> row_chip("NVIDIA H100 80GB HBM3").id, row_chip("TPU v5p-256").id, row_chip("Ascend 910B2").id
    ('h100-sxm', 'tpu-v5p', 'ascend-910b')
    """
    if not text.strip():
        raise RowError("incomplete", "accelerator")
    try:
        return chip_by_alias(text)
    except InputError as error:
        id = chip_in_words(text)
        if id is None:
            raise RowError("unknown_chip", str(error)) from None
        return chip(id)


def chip_in_words(text: str) -> str | None:
    """Return the id of the chip whose words are in a text, None when its memory or its form is another's.

    >>> [chip_in_words(name) for name in ("V100-SXM2-32GB, air cooled", "V100-SXM2-16GB", "A100 PCIe")]
    ['v100-sxm2-32gb', None, None]
    """
    low = text.lower()
    hit = next(((found, id) for words, id in CHIP_WORDS if (found := re.search(words, low))), None)
    id = hit and (hit[1] or re.sub("tpu.?", "tpu-", hit[0][0]))
    if id is None or ("pcie" in low and "pcie" not in id and id not in PCIE_CHIPS):
        return None
    said = re.search(r"(\d+) ?gb\b", low)
    return id if not said or abs(int(said[1]) * 1e9 / chip(id).hbm_bytes - 1.0) < 0.1 else None


def network_rate(row: Row) -> float | None:
    """Return the bytes per second of a chip to the network; None when not given.

    Raises: RowError when the cell is not a number.
    """
    printed = amount(row, "interconnect_inter_GBps_per_gpu")
    for words, rate in RATED_SYSTEMS:
        if re.search(words, row["system"].lower()):
            return rate
    return None if printed is None else printed * 1e9


def row_fabric(row: Row, part: Chip) -> str:
    """Return the network's kind: from the words of the row, else what the chip's servers are built with."""
    text = f"{row['system']} {row['interconnect_intra']}".lower()
    own = FAMILY_FABRICS.get(part.family)
    if part.family in ("tpu", "trainium"):
        return str(own)
    return next((name for words, name in FABRICS if re.search(words, text)), own or "InfiniBand")


def row_dtype(row: Row, machine: Machine) -> str:
    """Return the dtype of a row's linear layers.

    Raises: RowError when it is not given, or not a format of the chip.
    """
    text = row["precision"].strip().lower()
    if not text:
        raise RowError("incomplete", "precision")
    name = next((dtype for words, dtype in FORMATS if re.search(words, text)), None)
    if name is None:
        raise RowError("unsupported", f"precision = {row['precision']!r}")
    return _on_chip(name, text, machine.chip)


def _on_chip(name: str, text: str, part: Chip) -> str:
    """Return the format as a chip multiplies it: fp8 recipes on chips with int8 alone run in int8."""
    if name == "mxfp8" and part.family not in BLOCK_SCALED:
        name = "fp8"
    if name == "fp8" and "int8" in text and "fp8" not in part.dtypes:
        name = "int8"
    if name == "fp16" and "fp16" not in part.dtypes and "bf16" in part.dtypes:
        name = "bf16"
    peak = {"mxfp8": "fp8", "nvfp4": "fp4"}.get(name, name)
    if peak not in part.dtypes:
        raise RowError("unsupported", f"precision = {text!r} on {part.id}, which has no {peak} rate")
    return name
