"""Bad input gets one clear sentence, the right exit code, and leaves nothing behind."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.bad_files import FILES, FOLDERS

USAGE, BAD_FILE, INFEASIBLE = 2, 3, 4
PLAN = "plan llama2-7b --on superpod-h100 --chips 64"
OWN = "--on superpod-h100 --chips 64 --tokens 1T --batch 4M --seq 4096 --dtype bf16"

COMMANDS: dict[str, tuple[str, ...]] = {  # command line: words that must appear
    "pln": ("no command 'pln'", "did you mean 'plan'"),
    "plan": ("MODEL", "gigawatt plan --help"),
    "plan llama2-7b": ("--on",),
    "plan llama2-7b --on": ("--on",),
    "plan lama2-7b --on selene": ("model = 'lama2-7b'", "'llama2-7b'", "gigawatt catalog models"),
    "plan zzzzzz --on selene": ("model = 'zzzzzz'", "no name is near"),
    "plan '' --on selene": ("model = ''", "gigawatt catalog models"),
    "plan llama2-7b --on selen": ("machine = 'selen'", "'selene'", "gigawatt catalog machines"),
    "plan llama2-7b --on ''": ("machine = ''",),
    "plan llama2-7b --on h100-sxm": ("is a chip, not a machine", "colossus"),
    "plan llama2-7b --on llama2-7b": ("is a model, not a machine",),
    "plan selene --on llama2-7b": ("model = 'selene' is a machine", "--on selene"),
    "plan llama2-7b --on cluster/x.json": ("looks like a file", ".yaml"),
    f"{PLAN} --tokens -5": ("tokens = '-5'", "above 0"),
    f"{PLAN} --tokens 0": ("tokens = '0'", "above 0"),
    f"{PLAN} --tokens abc": ("tokens = 'abc'", "15.6T"),
    f"{PLAN} --tokens ''": ("tokens = ''", "15.6T"),
    f"{PLAN} --tokens 15.6TB": ("tokens = '15.6TB'", "amount of data", "did you mean 15.6T?"),
    f"{PLAN} --tokens 15.6t": ("did you mean 15.6T?",),
    f"{PLAN} --tokens 15,6T": ("did you mean 15.6T?",),
    f"{PLAN} --tokens nan": ("not a finite number",),
    f"{PLAN} --tokens inf": ("not a finite number",),
    f"{PLAN} --tokens 1e400": ("not a finite number",),
    f"{PLAN} --tokens 1e30": ("tokens = 1e+30", "1 .. 10000T"),
    f"{PLAN} --tokens 5": ("tokens = 5", "less than one batch"),
    f"{PLAN} --batch 16MiB": ("batch = '16MiB'", "amount of data", "did you mean 16M?"),
    f"{PLAN} --batch '16 MB'": ("did you mean 16M?",),
    f"{PLAN} --batch 1e15": ("batch = 1e+15", "1 .. 10B"),
    f"{PLAN} --batch 3": ("batch = 3 tokens", "--batch 4096"),
    f"{PLAN} --batch 4M --batch-sequences 8": ("say the same thing twice",),
    f"{PLAN} --batch-sequences 1.5": ("batch_sequences = '1.5'", "nearest is 2"),
    f"{PLAN} --seq 4KiB": ("seq = '4KiB'", "did you mean 4k?"),
    f"{PLAN} --seq 4096.5": ("nearest is 4096",),
    f"{PLAN} --seq 1e12": ("seq = 1,000,000,000,000", "16,777,216"),
    "plan llama2-7b --on selene --chips -8": ("chips = '-8'", "above 0"),
    "plan llama2-7b --on selene --chips 7.5": ("chips = '7.5'", "nearest is 8"),
    "plan llama2-7b --on selene --chips 9999999": ("chips = 9999999", "4480"),
    f"{PLAN} --dtype fp9": ("dtype = 'fp9'", "bf16", "nvfp4"),
    "plan llama2-7b --on selene --dtype fp8": ("'a100-sxm'", "no fp8 rate", "bf16"),
    "plan llama2-7b --on selene --dtype nvfp4": ("no fp4 rate",),
    f"{PLAN} --stack megatron": ("stack = 'megatron'", "'megatron-2021'", "gigawatt catalog stacks"),
    f"{PLAN} --stack ''": ("stack = ''",),
    f"{PLAN} --by speed": ("'speed'", "'time', 'cost', 'energy'"),
    f"{PLAN} --top 0": ("top = '0'",),
    f"{PLAN} --top 1001": ("top = 1001", "1..1000"),
    f"{PLAN} --layout tp": ("name=value", "tp=8,pp=16"),
    f"{PLAN} --layout ''": ("name=value",),
    f"{PLAN} --layout 'tp=8;pp=2'": ("name=value",),
    f"{PLAN} --layout tp=8,tp=4": ("names 'tp' twice",),
    f"{PLAN} --layout vp=2,chunks=4,pp=2": ("layout.chunks is given twice", "'vp'"),
    f"{PLAN} --layout tpp=8": ("layout field = 'tpp'", "'tp'"),
    f"{PLAN} --layout tp=-8": ("layout.tp = -8", "whole number"),
    f"{PLAN} --layout tp=8.5": ("layout.tp = '8.5'", "whole number"),
    f"{PLAN} --layout tp=99999999999999999999": ("layout.tp = 99999999999999999999", "100,000,000"),
    f"{PLAN} --layout tp=3": ("layout.tp = 3", "32 attention heads", "try 2 or 4"),
    f"{PLAN} --layout pp=3": ("63 chips", "64", "--chips 63"),
    f"{PLAN} --layout pp=64": ("layout.pp = 64", "32 layers", "most is 32"),
    f"{PLAN} --layout pp=2,vp=5": ("pp x chunks = 10", "try chunks="),
    f"{PLAN} --layout tp=8,dp=16": ("128 chips", "try dp=8"),
    f"{PLAN} --layout ep=2": ("has no experts",),
    f"plan mixtral-8x7b {OWN} --layout ep=3": (
        "layout.ep = 3",
        "8 experts",
        "try 2 or 4",
    ),
    f"{PLAN} --layout mbs=3": ("microbatch 3", "1,024 sequences", "try mbs=2"),
    f"{PLAN} --layout zero=5": ("layout.zero = 5", "0, 1, 2, 3"),
    f"{PLAN} --layout recompute=some": ("recompute = 'some'", "none, selective, full"),
    f"{PLAN} --layout pp=4,schedule=interleaved": ("schedule = 'interleaved'", "chunks of 2 or more"),
    f"{PLAN} --layout tp=8 --fixed tp=8": ("give one of them",),
    f"{PLAN} --fixed dp=8": ("fixed.dp = 8", "cannot be held"),
    f"{PLAN} --fixed 'tp=8|x'": ("fixed.tp = 'x'",),
    f"{PLAN} --fixed 'tp=||'": ("empty value",),
    f"{PLAN} --explain mfuu": ("explain = 'mfuu'", "'mfu'"),
    f"{PLAN} --json --explain mfu": ("give one of them",),
    f"{PLAN} --json -o no/such/plan.json": ("no folder 'no/such'",),
    f"{PLAN} -o folder": ("'folder' is a folder", "folder/plan.txt"),
    f"{PLAN} -o ''": ("not the name of a file",),
    f"{PLAN} --token 1T": ("'--token'", "'--tokens'"),
    f"{PLAN} extra": ("extra",),
    "model show lama": ("model = 'lama'", "'llama-7b'"),
    "chip show h100": ("chip = 'h100'", "'h100-sxm'"),
    "catalog machine": ("'machine'", "'machines'"),
    "schema plann": ("'plann'", "'plan'"),
    "predict folder.csv --out out.csv": ("folder.csv",),
    "compare llama2-7b": ("--on",),
    "compare llama2-7b --on eos": ("names 1 machines", "2 to 8"),
    "compare llama2-7b --on eos,eos": ("names 'eos' twice",),
    "compare llama2-7b --on eos,selen": ("machine = 'selen'", "'selene'"),
    "compare llama2-7b --on eos,selene --equal size": ("'size'", "'chips', 'power', 'cost'"),
    "compare llama2-7b --on eos,selene --amount 5": ("amount = '5'", "--equal"),
    "compare llama2-7b --on eos,selene --equal power --amount '20 MB'": ("amount = '20 MB'", "150 MW"),
    "study rents.csv": ("study = 'rents.csv'", ".yaml"),
    "study good.yaml --workers 0": ("workers = '0'", "above 0"),
    "study query folder 'select 1'": ("folder = 'folder'", "holds no study"),
    "study sensitivity folder": ("--of",),
    "study show no-such-folder": ("holds no study",),
}
BAD_FILES: dict[str, tuple[str, ...]] = {
    "missing.yaml": ("cannot be read", "no such file"),
    "folder.yaml": ("cannot be read", "directory"),
    "empty.yaml": ("is empty", "chip"),
    "comment.yaml": ("is empty",),
    "empty.toml": ("is empty",),
    "binary.yaml": ("not UTF-8 text",),
    "binary.toml": ("not UTF-8 text",),
    "list.yaml": ("holds a list",),
    "text.yaml": ("not keys and values",),
    "tab.yaml": ("tab.yaml:1:6", "not YAML"),
    "open.yaml": ("open.yaml:2:6", "not YAML"),
    "bare.toml": ("not TOML", "line 1"),
    "twice.yaml": ("twice.yaml:4:1", "duplicate key"),
    "twice.toml": ("not TOML", "line 3"),
    "zero-byte.yaml": ("not YAML",),
    "two.yaml": ("another document",),
    "large.yaml": ("larger than 100,000 bytes",),
    "deep.yaml": ("more than 50 lists",),
    "deep.toml": ("more than 50 lists",),
    "bomb.yaml": ("more than 10,000 values",),
    "loop.yaml": ("loop.yaml",),
    "no-chips.yaml": ("chips is missing", "chips: 64"),
    "no-chip.yaml": ("chip is missing", "chip: h100-sxm"),
    "chip-h100.yaml": ("chip-h100.yaml:1:1", "chip = 'h100'", "'h100-sxm'"),
    "chip-number.yaml": ("chip = 5", "quotes"),
    "chips-negative.yaml": (":2:1", "chips = -64", "less than 1"),
    "chips-zero.yaml": ("chips = 0", "less than 1"),
    "chips-half.yaml": ("chips = 64.5", "whole number"),
    "chips-quoted.yaml": ("chips = '64'", "write 64"),
    "chips-16k.yaml": ("chips = '16k'", "write 16000"),
    "chips-huge.yaml": ("chips = 1000000000000", "100,000,000"),
    "chips-nan.yaml": ("chips = nan",),
    "chips-true.yaml": ("chips = True",),
    "rate-amount.yaml": (":3:1", "network = '400 GB'", "did you mean '400 GB/s'?"),
    "rate-bare.yaml": ("network = 400", "400 B/s", "'400 Gbit/s'"),
    "rate-case.yaml": ("did you mean '400 Gbit/s'?",),
    "rate-watt.yaml": ("network = '400 W'", "400 Gbit/s or 50 GB/s"),
    "rate-word.yaml": ("network = 'fast'", "400 Gbit/s"),
    "rate-negative.yaml": ("network = '-400 Gbit/s'", "not in"),
    "rate-zero.yaml": ("network = '0 Gbit/s'", "not in"),
    "rate-huge.yaml": ("not a finite number",),
    "rate-nan.yaml": ("network = nan",),
    "rate-table.yaml": ("neither a rate", "list of levels"),
    "unknown-near.yaml": (":4:1", "netwrok", "did you mean 'network'?"),
    "unknown-far.yaml": ("colour", "allowed: chip, chips"),
    "unknown-inside.yaml": (":5:3", "scale_up.chip", "did you mean 'chips'?"),
    "unknown-null.yaml": ("null is not a field",),
    "level-small.yaml": ("network.rail.chips = 4", "8"),
    "level-outer.yaml": ("joins 32 of 64 chips",),
    "level-none.yaml": ("network.0.per_chip is missing", "400 Gbit/s"),
    "level-under.yaml": ("oversubscription = 0.5", "less than 1"),
    "level-latency.yaml": ("latency = '5 GB'", "2 us"),
    "site-unknown.yaml": (":4:1", "site = 'mars'", "us-average"),
    "site-near.yaml": ("did you mean 'meta-us'",),
    "site-pue.yaml": ("site.pue = 0.5", "less than 1"),
    "site-dollars.yaml": ("site.power_price = '70 $'", "0.07 $/kWh"),
    "site-bare.yaml": ("site.power_price = 0.07", "'0.07 $/kWh'"),
    "site-part.yaml": ("site.power_price is missing", "0.07 $/kWh"),
    "torus-dims.yaml": ("scale_up.dims is missing",),
    "torus-product.yaml": ("multiply to 16, not 64",),
    "torus-negative.yaml": ("scale_up.dims = [-4, -16]", "below 1"),
    "topology.yaml": ("topology = 'ring'", "'torus'"),
    "fact-unit.yaml": ("rent_usd_per_s = '2.5 $'", "did you mean '2.5 $/h'?"),
    "fact-bare.yaml": ("rent_usd_per_s = 2.5", "'2.5 $/h'"),
    "fact-name.yaml": ("rent_usd_per_hour", "'rent_usd_per_s'"),
    "fact-source.yaml": ("source = 'nobody'", "leave it out"),
    "fact-kind.yaml": ("kind = 'guess'", "'assumed'"),
    "fact-never.yaml": ("failures_per_chip_s = 0", "/h"),
    "fact-write-off.yaml": ("depreciation_s = 0", "100 y"),
    "node.yaml": ("chips_per_node = 1,000", "chips = 64"),
    "source.yaml": ("source = 'me'", "leave it out"),
    "id.yaml": ("id = 'My Machine'", "a-z"),
}
BAD_CONFIGS: dict[str, tuple[str, ...]] = {
    "missing.json": ("cannot be read",),
    "folder": ("config.json", "cannot be read"),
    "empty.json": ("not JSON",),
    "list.json": ("holds a list",),
    "binary.json": ("not UTF-8 text",),
    "comma.json": ("comma.json:1:", "not JSON"),
    "deep.json": ("not JSON",),
    "hidden-text.json": ("hidden_size = '4096'", "whole number"),
    "hidden-negative.json": ("hidden_size = -1",),
    "hidden-huge.json": ("hidden_size = 1000",),
    "layers-missing.json": ("num_hidden_layers is missing",),
    "layers-million.json": ("num_hidden_layers = 1000000", "10000"),
    "heads-zero.json": ("num_attention_heads = 0",),
    "heads-uneven.json": ("num_key_value_heads = 5", "32 heads"),
    "experts.json": ("num_experts_per_tok = 8", "4 experts"),
}
TOO_MUCH: dict[str, tuple[str, ...]] = {
    f"{PLAN} --layout dp=64,mbs=16": ("does not fit", "GiB a chip of", "recompute=full"),
    f"{PLAN} --fixed tp=3": ("tp=3", "does not divide 64 chips"),
    "plan gpt3-175b --on superpod-h100 --chips 2": ("does not fit", "GiB a chip of", "some "),
}
TABLES = {
    "missing.csv": ("cannot be read",),
    "empty.csv": ("empty.csv", "column", "missing"),
    "binary.csv": ("not UTF-8 text",),
    "other.csv": ("column 'id' is missing",),
}
CASES = [
    *((USAGE, line, words) for line, words in COMMANDS.items()),
    *((BAD_FILE, f"plan llama2-7b --on {name}", words) for name, words in BAD_FILES.items()),
    *((BAD_FILE, f"plan ./{name} {OWN}", words) for name, words in BAD_CONFIGS.items()),
    *((BAD_FILE, f"predict {name} --out out.csv", words) for name, words in TABLES.items()),
    *((INFEASIBLE, line, words) for line, words in TOO_MUCH.items()),
    (USAGE, "plan ./good.json --on selene", ("--seq is not given", "--seq 4096")),
]


@pytest.fixture(scope="module")
def bad_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every bad file in it."""
    found = tmp_path_factory.mktemp("bad")
    for name, content in FILES.items():
        (found / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for name in FOLDERS:
        (found / name).mkdir()
    return found


@pytest.mark.parametrize(("code", "line", "words"), CASES, ids=[line for _, line, _ in CASES])
def test_bad_input_is_told_in_one_sentence(code, line, words, bad_folder, monkeypatch, told):
    monkeypatch.chdir(bad_folder)
    before = sorted(bad_folder.rglob("*"))
    said = told(*shlex.split(line))
    assert said.code == code, said.err
    assert said.err.startswith("error: ")
    assert [word for word in words if word not in said.err] == [], said.err
    assert len(said.err.splitlines()) <= 2  # the sentence, and where help is
    assert said.out == ""
    assert sorted(bad_folder.rglob("*")) == before, "something was left behind"


def test_there_are_many_kinds_of_bad_input():
    assert len(CASES) > 150
    assert set(FILES) - {"good.json"} <= {n for table in (BAD_FILES, BAD_CONFIGS, TABLES) for n in table}
