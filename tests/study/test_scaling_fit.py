"""gigawatt scaling fit: the document, what it says that runs cannot tell, and the faces."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest

from gigawatt.cli.main import run
from gigawatt.errors import InputError
from gigawatt.study import fit_isoflop, fit_scaling, scaling_fit_document, schema
from tests.scaling.runs import TRUE, as_csv, law_loss, made

SHIPPED_LADDER = "olmo_ladder_final_30.csv"
LADDER = {"columns": {"loss": "ce_c4_en"}}
LLAMA = ("dataset=llama_3", "condition=raw_loss")


@pytest.fixture
def runs(tmp_path):
    return as_csv(tmp_path / "runs.csv", *made(150, noise=0.004, seed=2))


def codes(found):
    return [one["code"] for one in scaling_fit_document(found)["warnings"]]


def constants(document):
    return {one["name"]: one for one in document["result"]["law"]["constants"]}


def test_a_known_law_is_read_off_the_document_with_bands_around_it(runs):
    document = scaling_fit_document(fit_scaling(runs, resamples=400, flop=[1e21]))
    for name, true in TRUE.items():
        one = constants(document)[name]
        assert one["p2_5"] <= one["p10"] <= one["p50"] <= one["p90"] <= one["p97_5"]
        assert one["p2_5"] * 0.8 < true < one["p97_5"] * 1.25
    a, b = (constants(document)[name]["value"] for name in ("params_exponent", "tokens_exponent"))
    assert a + b == pytest.approx(1.0)
    (best,) = document["result"]["optima"]
    assert 6 * best["params"]["value"] * best["tokens"]["value"] == pytest.approx(1e21)


def test_the_best_split_has_the_least_loss_of_its_compute(runs):
    """The oracle: a scan over sizes."""
    best = fit_scaling(runs, flop=[1e21]).optima[0]
    document = scaling_fit_document(fit_scaling(runs, flop=[1e21]))
    found = {name: constants(document)[name]["value"] for name in TRUE}
    sizes = best.params * np.geomspace(0.5, 2, 2001)
    losses = law_loss(sizes, 1e21 / 6 / sizes, **found)
    assert losses.min() == pytest.approx(best.loss, rel=1e-9)
    assert sizes[losses.argmin()] == pytest.approx(best.params, rel=2e-3)


@pytest.mark.parametrize(
    "found",
    [
        lambda path: fit_scaling(path, resamples=20, flop=[1e21], holdout="rollout"),
        lambda path: fit_scaling(path, "kaplan-joint", objective="mse", flop=[1e21]),
        lambda path: fit_scaling(path, "compute", resamples=20, flop=[1e21]),
        lambda path: fit_scaling(SHIPPED_LADDER, resamples=20, holdout="params>2e9", **LADDER),
        lambda path: fit_scaling(
            "olmo_ladder_final_30.csv", accuracy="acc_hellaswag_val", flop=[1e23], **LADDER
        ),
        lambda path: fit_isoflop("isoflop_llama3_marin.csv", where=LLAMA, resamples=20, flop=[1e24]),
    ],
    ids=["chinchilla", "kaplan", "compute", "ladder", "task", "isoflop"],
)
def test_documents_keep_their_schema(runs, found):
    document = json.loads(json.dumps(scaling_fit_document(found(runs)), allow_nan=False))
    jsonschema.validate(document, json.loads(schema("scaling-fit")), jsonschema.Draft202012Validator)
    del document["result"]["runs"]
    with pytest.raises(jsonschema.ValidationError, match="runs"):
        jsonschema.validate(document, json.loads(schema("scaling-fit")), jsonschema.Draft202012Validator)


def test_runs_on_one_line_are_said_to_be(tmp_path):
    params = np.geomspace(1e8, 4e8, 40)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(40))
    losses = law_loss(params, 20 * params, **TRUE) * noise
    found = codes(fit_scaling(as_csv(tmp_path / "line.csv", params, 20 * params, losses), resamples=100))
    assert {"together", "narrow-params", "narrow-tokens", "wide"} <= set(found)


def test_runs_far_above_the_floor_are_said_to_be(tmp_path):
    params, tokens, losses = made(60, noise=0.01, span=(1e6, 1e7), seed=3)
    assert "far-floor" in codes(fit_scaling(as_csv(tmp_path / "far.csv", params, tokens, losses)))
    assert "far-floor" not in codes(fit_scaling(as_csv(tmp_path / "near.csv", *made(60, noise=0.001))))


def test_runs_without_a_floor_are_said_to_have_none(tmp_path):
    """A pure power law: any small E fits as well, and no resample can tell."""
    params, tokens, _ = made(80, seed=5)
    noise = np.exp(0.01 * np.random.default_rng(1).standard_normal(80))
    losses = law_loss(params, tokens, E=0.0, A=8.0, B=9.0, alpha=0.06, beta=0.06) * noise
    found = codes(fit_scaling(as_csv(tmp_path / "bare.csv", params, tokens, losses), resamples=200))
    assert {"far-floor", "no-floor", "open-floor"} & set(found)


def test_runs_that_were_not_tuned_alike_are_said_to_be(tmp_path):
    params, tokens, losses = made(30, seed=7)
    twice = (np.tile(params, 2), np.tile(tokens, 2), np.concatenate([losses, 1.2 * losses]))
    path = as_csv(tmp_path / "twice.csv", *twice)
    assert "untuned" in codes(fit_scaling(path))
    found = fit_scaling(path, best=True)
    assert "untuned" not in codes(found)
    assert found.fit.constants["E"] == pytest.approx(TRUE["E"], rel=1e-3)


def test_an_answer_beyond_the_runs_is_said_to_be(runs):
    assert "beyond" in codes(fit_scaling(runs, flop=[1e26]))
    assert "beyond" not in codes(fit_scaling(runs, flop=[1e20]))


@pytest.mark.parametrize(
    ("rule", "held"),
    [("flop>1e21", None), ("params>=5e9", None), ("largest:0.2", 30), ("rollout", None), ("loss<2.3", None)],
)
def test_rules_of_what_is_held_out(runs, rule, held):
    found = fit_scaling(runs, holdout=rule)
    assert all(len(one.fit.runs) + len(one.held) == 150 for one in found.foreseen)
    assert all(one.median < 0.02 for one in found.foreseen)
    if held:
        assert len(found.foreseen[0].held) == held


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("flop>1e40", "holds out no run"),
        ("largest:2", "no share between 0 and 1"),
        ("the big ones", "is not one of"),
        ("size>3", "holdout column = 'size'"),
        ("flop>many", "'many' is not a number"),
    ],
)
def test_bad_rules_are_refused_in_one_sentence(runs, rule, told):
    with pytest.raises(InputError, match=told):
        fit_scaling(runs, holdout=rule)


def test_a_task_is_foreseen_through_the_loss(tmp_path):
    params, tokens, losses = made(60, noise=0.0005, seed=4)
    accuracy = 1 - (0.75 - 2.0 * np.exp(-1.1 * losses))
    rows = [",".join(f"{float(v)!r}" for v in row) for row in zip(params, tokens, losses, accuracy)]
    path = tmp_path / "tasks.csv"
    path.write_text("\n".join(["params,tokens,loss,acc", *rows]))
    found = fit_scaling(path, accuracy="acc", holdout="largest:0.2", flop=[1e22])
    assert (found.task.curve.ceiling, found.task.curve.gamma) == pytest.approx((0.75, 1.1), rel=1e-4)
    assert len(found.task.chained) == 12
    assert abs(found.task.chained).max() < 0.002
    loss = found.optima[0].loss
    assert found.task.accuracies[1e22][0] == pytest.approx(1 - (0.75 - 2.0 * np.exp(-1.1 * loss)), abs=1e-6)
    with pytest.raises(InputError, match=r"tasks\.csv:2: params = .* is not an accuracy of 0 to 1"):
        fit_scaling(path, accuracy="params")
    with pytest.raises(InputError, match="did you mean 'acc'"):
        fit_scaling(path, accuracy="acd")


def told(capsys, *words):
    code = run(["scaling", "fit", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_same_seed_gives_the_same_bytes(runs, capsys):
    words = (runs, "--bootstrap", 50, "--seed", 3, "--flop", "1e21", "--json")
    first, second = (told(capsys, *words)[1] for _ in range(2))
    assert first == second
    assert first != told(capsys, *words[:4], 4, *words[5:])[1]


def test_the_terminal_says_constants_bands_splits_and_what_is_not_told(runs, capsys):
    code, out, _ = told(capsys, runs, "--bootstrap", 50, "--flop", "1e26", "--holdout", "rollout")
    assert code == 0
    for words in ("L = E + A N^-alpha + B D^-beta", "32 of 32 starts", "80 % of resamples", "D*/N*",
                  "median error", "what these runs cannot tell", "an extrapolation"):  # fmt: skip
        assert words in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--objective", "l2"), 2, "objective = 'l2' is not one of"),
        (("--law", "hoffman"), 2, "law = 'hoffman' is not known"),
        (("--columns", "params"), 2, "is not FIELD=COLUMN"),
        (("--columns", "size=params"), 2, "--columns field = 'size'"),
        (("--columns", "loss=los"), 3, "did you mean 'loss'"),
        (("--flop", "-1"), 2, "flop = -1 is not above 0"),
        (("--bootstrap", "1"), 2, "bootstrap = 1 is not in 2..1,000,000"),
        (("--bootstrap", "many"), 2, "bootstrap = 'many'"),
        (("--method", "isoflop", "--holdout", "rollout"), 2, "is of --method law"),
        (("--method", "isoflop", "--law", "tied"), 2, "law = 'tied' is of --method law"),
        (("--output", "/no/such/folder/x"), 2, "there is no folder"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(runs, capsys, words, code, said):
    got, out, err = told(capsys, runs, *words)
    assert (got, out) == (code, "")
    assert said in err
    assert len(err.strip().splitlines()) <= 2


def test_an_interrupt_leaves_no_traceback(runs, capsys, monkeypatch):
    def stop(*_args, **_words):
        raise KeyboardInterrupt

    monkeypatch.setattr("gigawatt.study.scaling_fit.bootstrap", stop)
    code, _, err = told(capsys, runs, "--bootstrap", 50)
    assert (code, err.strip()) == (130, "interrupted")


def test_pictures_are_made_of_the_document(runs):
    from gigawatt.study.scaling_fit_chart import scaling_fit_chart

    law = scaling_fit_chart(scaling_fit_document(fit_scaling(runs, resamples=20)))
    assert [len(panel["layer"]) for panel in law["concat"]] == [3, 3, 2]
    line = fit_isoflop("isoflop_llama3_marin.csv", where=LLAMA)
    assert len(scaling_fit_chart(scaling_fit_document(line))["concat"]) == 2


def test_a_page_and_a_picture_are_written(runs, capsys, tmp_path):
    pytest.importorskip("vl_convert")
    code, *_ = told(capsys, runs, "--html", tmp_path / "fit.html", "--png", tmp_path / "fit.png")
    page = (tmp_path / "fit.html").read_text()
    assert code == 0
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing is fetched
    assert "<svg" in page
