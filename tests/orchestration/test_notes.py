"""What the terminal tells: the figures of a run's end, with what was not loaded and what the data do not tell; a plan; posted events."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from tests.support.outcomes import ended, shown

from sales_tech.contracts.table import table_contract
from sales_tech.engines.duck import open_engine
from sales_tech.ingest.arrivals import Unread
from sales_tech.lake.provenance import Provenance
from sales_tech.lake.store import Lake
from sales_tech.lake.write import stage
from sales_tech.orchestration.dashboard import Refreshed
from sales_tech.orchestration.pipeline import execute_run
from sales_tech.orchestration.plan import Planned
from sales_tech.orchestration.post_events import Posted
from sales_tech.orchestration.steps import Situation, Step, chosen
from sales_tech.orchestration.summary import show_outcome, show_plan, show_posted
from sales_tech.runs import Commit, Run, StepResult
from sales_tech.settings import Settings


def promotions(*notes: str, commits: int = 1) -> StepResult:
    made = [Commit("gold.promotion_results", number, 0, 1) for number in range(commits)]
    return StepResult("gold/promotions", commits=made, notes=list(notes))


def test_what_cannot_be_told_is_not_called_not_loaded(erp: Settings) -> None:
    text = shown(ended(erp, StepResult("ingest/batch_csv", notes=["a.csv: no pack claims it"]), promotions("erp_br: no cost is known")))
    assert "not loaded a.csv: no pack claims it" in text
    assert "note erp_br: no cost is known" in text


def test_of_many_notes_the_first_are_shown_and_the_others_counted(erp: Settings) -> None:
    for many in (5, 8):
        told = [f"s{number}: so" for number in range(many)]
        text = shown(ended(erp, promotions(*told), StepResult("ingest/batch_csv", notes=told, remarks=told)))
        for word, where in (
            ("note", "more: see the notebooks of 03_gold/promotions and 04_ml"),
            ("not loaded", "more: see bronze.files in the notebook of 01_ingest"),
            ("warning", "more warnings: see the notebooks of 01_ingest and 02_silver"),
        ):
            assert [f"{word} s{number}: so" in text.splitlines() for number in range(8)] == [True] * 5 + [False] * 3
            assert (f"and 3 {where}" in text.splitlines()) == (many == 8)
            assert (where in text) == (many == 8)


def test_a_step_that_had_nothing_to_do_has_nothing_to_tell(erp: Settings) -> None:
    assert ended(erp, promotions("nothing to do", commits=0)).untold == []


def test_what_should_be_looked_at_is_told_apart_from_what_was_not_loaded(erp: Settings) -> None:
    text = shown(ended(erp, StepResult("ingest/batch_csv", remarks=["a.csv looks cut off"], notes=["b.csv: no pack claims it"])))
    assert "warning a.csv looks cut off" in text
    assert "not loaded b.csv" in text


def fill(settings: Settings, name: str, *rows: dict[str, object]) -> None:
    """Commit rows of one of the lake's tables; what a row does not give is nothing, or 0 where nothing may not stand."""
    contract, lake = table_contract(name), Lake(settings)
    stands_for = {"boolean": "false", "date": "2026-01-01"}
    nothing = {key: stands_for.get(str(column.type.sql), "0") if column.required else None for key, column in contract.columns.items()}
    dates = {key for key, column in contract.columns.items() if column.type.sql == "date"}

    def literal(key: str, value: object) -> str:
        return "null" if value is None else f"date '{value}'" if key in dates else f"'{value}'"

    selects = [", ".join(literal(*cell) for cell in (nothing | row).items()) for row in rows]
    with open_engine(settings) as engine:
        query = f"select * from (values {', '.join(f'({one})' for one in selects)}) as t ({', '.join(nothing)})"
        staged = stage(lake, engine, contract, query, "20260301T020000-1a2b3c")
    lake.commit(name, staged.paths, [], Provenance("20260301T020000-1a2b3c", name, "code", "contract"))


def printed(show: Callable[[Console], None]) -> list[str]:
    """The lines that are printed, with one blank between words."""
    text = io.StringIO()
    show(Console(file=text, width=200))
    return [" ".join(line.split()) for line in text.getvalue().splitlines()]


def test_the_figures_at_the_end_are_sums_over_all_days_and_the_margin_is_of_what_has_a_cost(erp: Settings, tmp_path: Path) -> None:
    days = [("erp_br", "2026-02-03", 4, "100.00", "25.00", "BRL"), ("erp_br", "2026-02-05", 1, "9950.50", None, "BRL")]
    days += [("olist", "2026-02-02", 0, "-3.00", None, "USD"), ("other", "2026-02-02", 3, "10.00", "-2.50", "JPY")]
    days += [("zero", "2026-02-02", 1, "0.00", "-6.00", "BRL")]
    names = ("source", "sold_on", "orders", "net_sales", "margin", "currency")
    fill(erp, "gold.kpis_daily", *(dict(zip(names, day, strict=True)) for day in days))
    fates = [
        ("vendas", "f", "accepted", 1200),
        ("vendas", "g", "accepted", 34),
        ("vendas", "f", "rejected", 2),
        ("produtos", "h", "ignored", 1),
    ]
    names = ("file_kind", "file_id", "fate", "rows")
    fill(erp, "silver.fates", *({"source": "erp_br"} | dict(zip(names, fate, strict=True)) for fate in fates))
    fill(erp, "silver.rejects", {"source": "erp_br", "file_kind": "vendas"})
    at = replace(erp, landing=tmp_path / "my files", sources=(*erp.sources, tmp_path / "acme"))
    outcome = ended(at, StepResult("ingest/batch_csv", 1))
    lines = printed(lambda console: show_outcome(console, replace(outcome, seconds=61.26)))
    assert lines[:13] == [
        "",
        "Rows: bronze 0, silver 0, gold 5",
        "The fate of every row",
        "source file kind bronze rows accepted superseded ignored rejected",
        "erp_br produtos 1 0 0 1 0",
        "erp_br vendas 1,236 1,234 0 0 2",
        "Three figures",
        "source days net sales average ticket margin",
        "erp_br 2026-02-03 to 2026-02-05 R$ 10,050.50 R$ 2,010.10 25.0 %",
        "olist 2026-02-02 to 2026-02-02 US$ -3.00 no orders cost unknown",
        "other 2026-02-02 to 2026-02-02 JPY 10.00 JPY 3.33 -25.0 %",
        "zero 2026-02-02 to 2026-02-02 R$ 0.00 R$ 0.00 no net sales",
        "",
    ]
    assert lines[13] == f"Run {outcome.run.run_id} succeeded in 61.3 s. Executed notebooks, as HTML:"
    asks = f"--lake {erp.lake}"
    rest = [
        "",
        "Next:",
        f'python pipeline.py query "select sold_on, orders, net_sales from gold.kpis_daily order by sold_on desc limit 7" {asks}',
        f'python pipeline.py query "select file_path, line_number, reasons, row from silver.rejects limit 10" {asks}',
        f"python pipeline.py plan {asks} --landing '{tmp_path / 'my files'}' --sources {tmp_path / 'acme'}",
        "make lab the notebooks in JupyterLab",
    ]
    assert lines[14:] == rest
    responses = [("erp_br", "Mouses", 3), ("erp_br", "Desk lamps", 4), ("erp_br", "Phones", 4), ("olist", "Toys", 9)]
    fill(
        erp,
        "gold.promotion_response",
        *({"source": source, "category": name, "discount_share": "0.1", "promotions": many} for source, name, many in responses),
    )
    fill(erp, "gold.demand_forecast", {"source": "erp_br", "sold_on": "2026-01-02"})
    told = printed(lambda console: show_outcome(console, outcome, Refreshed("s3://bucket/lake/dashboard.html")))
    rest[4:4] = [
        f"python pipeline.py plan-promotion --category 'Desk lamps' --days 10 {asks} --source erp_br",
        f"python pipeline.py serve {asks} --source erp_br",
    ]
    rest += ["", "Dashboards, as a page for a browser, with or without a network:", "s3://bucket/lake/dashboard.html"]
    assert told[14:] == rest


def test_before_gold_was_built_no_question_to_it_is_proposed(erp: Settings) -> None:
    lines = printed(lambda console: show_outcome(console, ended(erp, StepResult("silver/reference"))))
    assert [line for line in lines if "gold." in line] == []


def test_each_failed_step_is_told_with_its_message_and_the_run_s_own_besides(erp: Settings) -> None:
    outcome = ended(erp, StepResult("silver/sales"), StepResult("gold/sales"))
    broken = replace(outcome.steps[0], outcome="failed", message="no [cost] is known")
    waits = replace(outcome.steps[1], outcome="skipped", message="silver/sales failed")
    failed = replace(outcome, outcome="failed", steps=[broken, waits], message="no [cost] is known")
    told = ["failed silver/sales: no [cost] is known", "skipped gold/sales: silver/sales failed"]
    lines = printed(lambda console: show_outcome(console, failed))
    assert lines[:4] == [*told, "", f"Run {outcome.run.run_id} failed in 1.0 s. Executed notebooks, as HTML:"]
    assert "mend the cause, then run again: what succeeded is kept, the rest is repeated" in lines
    unentered = "no [cost] is known; the run is not in the ledger"
    lines = printed(lambda console: show_outcome(console, replace(failed, message=unentered)))
    assert lines[:3] == [*told, f"failed {unentered}"]


def test_what_a_step_has_committed_is_seen_by_the_steps_behind_it(erp: Settings) -> None:
    def why(now: Situation) -> list[str]:
        return ["new rows"] if len(now.lake.files("silver.fates")) > 1 else []

    fill(erp, "silver.fates", {"fate": "accepted", "rows": 1})

    def work(run: Run) -> StepResult:
        fill(erp, "silver.fates", {"fate": "rejected", "rows": 1})
        return run.record(StepResult("first"))

    first = Step("first", "a.ipynb", (), lambda now: [f"{len(why(now))} before"], work)
    second = Step("second", "b.ipynb", ("first",), why, lambda run: run.record(StepResult("second")))
    outcome = execute_run(Run.begin(erp), (first, second), None, lambda _step: nullcontext())
    assert [(step.step, step.reason) for step in outcome.steps] == [("first", "0 before"), ("second", "new rows")]


def test_a_plan_tells_of_each_step_its_reasons_or_what_runs_before_it(erp: Settings) -> None:
    steps = chosen([])
    unread = Unread("a[b].csv", datetime(2026, 2, 3, 4, 5, tzinfo=UTC), "no [header]")
    planned = [
        Planned(steps[0], ("2 new files", "1 changed file"), unread=(unread,), warnings=("old: no pack [x]",)),
        Planned(steps[1], ()),
        Planned(steps[2], (), ("a", "b")),
        Planned(steps[3], (), ("a", "b", "c")),
        Planned(steps[4], ("new code",), ("a",)),
    ]
    assert printed(lambda console: show_plan(console, planned)) == [
        "step would run why",
        "ingest/batch_csv yes 2 new files",
        "1 changed file",
        "ingest/order_events no up to date: inputs, code and contracts are unchanged",
        "silver/reference yes a runs before it",
        "b runs before it",
        "silver/sales yes 3 steps run before it",
        "gold/sales yes new code",
        "unread file a[b].csv, since it was rejected at 2026-02-03 04:05 UTC: no [header]",
        "Land a mended file under the same name, mend the pack, or take the file out of the landing folder.",
        "warning old: no pack [x]",
    ]


def test_of_posted_events_the_first_refusals_are_told_and_all_are_counted(erp: Settings) -> None:
    where = erp.landing / ".dead_letters"
    assert printed(lambda console: show_posted(console, Posted(1, 1, 0, 0, {"a"}), erp)) == ["Posted 1 order event: 1 landed in 1 object"]
    for refused in (5, 7):
        posted = Posted(3_000 + refused, 1_000, 2_000, refused, {"a", "b"}, {number: f"no {number}" for number in range(refused, 0, -1)})
        assert printed(lambda console, posted=posted: show_posted(console, posted, erp)) == [
            f"Posted 3,00{refused} order events: 1,000 landed in 2 objects, 2,000 repeated, {refused} refused",
            *(f"refused line {number}: no {number}" for number in range(1, 6)),
            f"{'and 2 more, ' if refused == 7 else ''}kept with their reasons in {where}",
        ]
