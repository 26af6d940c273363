"""Files that are wrong in one way each, for the table of bad input."""

from __future__ import annotations

import json

GOOD = "chip: h100-sxm\nchips: 64\nnetwork: 400 Gbit/s\n"
CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32000,
    "intermediate_size": 11008,
}


def rate(text: str) -> str:
    """Return a machine with another network rate."""
    return GOOD.replace("400 Gbit/s", text)


def chips(text: str) -> str:
    """Return a machine with another count of chips."""
    return GOOD.replace("64", text)


def levels(text: str) -> str:
    """Return a machine whose network is a list."""
    return GOOD.replace("network: 400 Gbit/s", f"network:\n  - {text}")


def config(**other: object) -> str:
    """Return a config with other or, where None, no values."""
    return json.dumps({k: v for k, v in (CONFIG | other).items() if v is not None})


FILES: dict[str, str | bytes] = {
    "empty.yaml": "",
    "comment.yaml": "# nothing\n",
    "empty.toml": "",
    "binary.yaml": bytes(range(256)),
    "binary.toml": b"\xff\xfe\x00\x01",
    "list.yaml": "- a\n- b\n",
    "text.yaml": "hello",
    "tab.yaml": "chip:\th100-sxm\n\tchips: 4\n",
    "open.yaml": "chip: [h100\nchips: 3\n",
    "bare.toml": "chip = h100\n",
    "twice.yaml": GOOD + "chips: 128\n",
    "twice.toml": 'chip = "h100-sxm"\nchips = 4\nchips = 5\n',
    "zero-byte.yaml": "chip: \0\n",
    "two.yaml": GOOD + "---\nchip: x\n",
    "large.yaml": "#" * 200_000,
    "deep.yaml": "[" * 3000,
    "deep.toml": "a = " + "[" * 5000,
    "bomb.yaml": "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{n}: &{n} [{', '.join([f'*{m}'] * 10)}]\n" for m, n in zip("abcdef", "bcdefg", strict=True)),
    "loop.yaml": GOOD + "note: &n [*n]\n",
    "no-chips.yaml": "chip: h100-sxm\n",
    "no-chip.yaml": "chips: 64\n",
    "chip-h100.yaml": GOOD.replace("h100-sxm", "h100"),
    "chip-number.yaml": GOOD.replace("h100-sxm", "5"),
    "chips-negative.yaml": chips("-64"),
    "chips-zero.yaml": chips("0"),
    "chips-half.yaml": chips("64.5"),
    "chips-quoted.yaml": chips("'64'"),
    "chips-16k.yaml": chips("16k"),
    "chips-huge.yaml": chips("1000000000000"),
    "chips-nan.yaml": chips(".nan"),
    "chips-true.yaml": chips("true"),
    "rate-amount.yaml": rate("400 GB"),
    "rate-bare.yaml": rate("400"),
    "rate-case.yaml": rate("400 gbit/s"),
    "rate-watt.yaml": rate("400 W"),
    "rate-word.yaml": rate("fast"),
    "rate-negative.yaml": rate("-400 Gbit/s"),
    "rate-zero.yaml": rate("0 Gbit/s"),
    "rate-huge.yaml": rate("1e300 GB/s"),
    "rate-nan.yaml": rate(".nan"),
    "rate-table.yaml": rate("{rail: 5}"),
    "unknown-near.yaml": GOOD + "netwrok: 5\n",
    "unknown-far.yaml": GOOD + "colour: red\n",
    "unknown-inside.yaml": GOOD + "scale_up:\n  chip: 8\n",
    "unknown-null.yaml": GOOD + "~: 6\n",
    "level-small.yaml": levels("{name: rail, chips: 4, per_chip: 400 Gbit/s}"),
    "level-outer.yaml": levels("{name: rail, chips: 32, per_chip: 400 Gbit/s}"),
    "level-none.yaml": levels("{name: rail, chips: 64}"),
    "level-under.yaml": levels("{oversubscription: 0.5, per_chip: 400 Gbit/s}"),
    "level-latency.yaml": levels("{latency: 5 GB, per_chip: 400 Gbit/s}"),
    "site-unknown.yaml": GOOD + "site: mars\n",
    "site-near.yaml": GOOD + "site: meta-ua\n",
    "site-pue.yaml": GOOD + "site: {pue: 0.5, power_price: 0.07 $/kWh, carbon: 0.3 kg/kWh}\n",
    "site-dollars.yaml": GOOD + "site: {pue: 1.2, power_price: 70 $, carbon: 0.3 kg/kWh}\n",
    "site-bare.yaml": GOOD + "site: {pue: 1.2, power_price: 0.07, carbon: 0.3}\n",
    "site-part.yaml": GOOD + "site: {pue: 1.2}\n",
    "torus-dims.yaml": GOOD + "scale_up: {topology: torus, chips: 64}\n",
    "torus-product.yaml": GOOD + "scale_up: {topology: torus, chips: 64, dims: [4, 4]}\n",
    "torus-negative.yaml": GOOD + "scale_up: {topology: torus, chips: 64, dims: [-4, -16]}\n",
    "topology.yaml": GOOD + "scale_up: {topology: ring}\n",
    "fact-unit.yaml": GOOD + "facts: {rent_usd_per_s: 2.5 $}\n",
    "fact-bare.yaml": GOOD + "facts: {rent_usd_per_s: 2.5}\n",
    "fact-name.yaml": GOOD + "facts: {rent_usd_per_hour: 2.5 $/h}\n",
    "fact-source.yaml": GOOD + "facts: {rent_usd_per_s: {value: 2.5 $/h, source: nobody}}\n",
    "fact-kind.yaml": GOOD + "facts: {rent_usd_per_s: {value: 3 $/h, kind: guess}}\n",
    "fact-never.yaml": GOOD + "facts: {failures_per_chip_s: 0}\n",
    "fact-write-off.yaml": GOOD + "facts: {depreciation_s: 0}\n",
    "node.yaml": GOOD + "chips_per_node: 1000\n",
    "source.yaml": GOOD + "source: me\n",
    "id.yaml": GOOD + "id: My Machine\n",
    "empty.json": "",
    "list.json": "[1]",
    "binary.json": bytes(range(128, 256)),
    "comma.json": '{"a": 1,}',
    "deep.json": '{"a": ' * 100_000,
    "hidden-text.json": config(hidden_size="4096"),
    "hidden-negative.json": config(hidden_size=-1),
    "hidden-huge.json": config(hidden_size=10**20),
    "layers-missing.json": config(num_hidden_layers=None),
    "layers-million.json": config(num_hidden_layers=10**6),
    "heads-zero.json": config(num_attention_heads=0),
    "heads-uneven.json": config(num_key_value_heads=5),
    "experts.json": config(num_local_experts=4, num_experts_per_tok=8),
    "good.json": config(),
    "empty.csv": "",
    "binary.csv": bytes(range(256)),
    "other.csv": "a,b\n1,2\n",
}
FOLDERS = ("folder", "folder.yaml", "folder.csv")
