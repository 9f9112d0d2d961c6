"""What a user types and sees."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from tests.support.command_line import call
from tests.support.nights import REPOSITORY, settings_in, snapshots

from sales_tech.settings import Settings
from sales_tech.twin import Size, write_twin

SMALL = Size(stores=3, skus=24, months=2, promotions=6)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small lake of the synthetic retailer, made by the command line."""
    settings = settings_in(tmp_path_factory.mktemp("ran"))
    made = write_twin(settings.landing, size=SMALL)
    assert call("post-events", made.stream.path, "--landing", settings.landing).returncode == 2
    done = call("run", "--landing", settings.landing, "--lake", settings.lake)
    assert done.returncode == 0, done.stdout + done.stderr
    (settings.lake / "first.txt").write_text(done.stdout, encoding="utf-8")
    return settings


def test_a_run_ends_with_rows_fates_figures_notebooks_and_what_to_type_next(ran: Settings) -> None:
    shown = (ran.lake / "first.txt").read_text(encoding="utf-8")
    assert "Rows: bronze" in shown
    assert "superseded" in shown
    assert "average ticket" in shown
    assert "R$" in shown
    pages = [line.strip() for line in shown.splitlines() if line.strip().endswith(".html")]
    assert len(pages) == 9
    assert pages[-1].endswith("dashboard.html")
    assert all("<html" in Path(REPOSITORY / page).read_text(encoding="utf-8")[:200] for page in pages)
    assert "python pipeline.py query" in shown


def test_a_second_run_says_that_there_is_nothing_to_do_and_writes_nothing(ran: Settings) -> None:
    before = snapshots(ran)
    done = call("run", "--landing", ran.landing, "--lake", ran.lake)
    assert done.returncode == 0
    assert "Nothing to do" in done.stdout
    assert snapshots(ran) == before


def test_plan_tells_why_a_step_would_not_run(ran: Settings) -> None:
    done = call("plan", "--landing", ran.landing, "--lake", ran.lake)
    assert done.returncode == 0
    assert done.stdout.count("up to date") == 9


def test_plan_tells_of_new_files_and_of_the_steps_behind_them(ran: Settings, tmp_path: Path) -> None:
    write_twin(tmp_path, seed=8, size=SMALL)
    done = call("plan", "--landing", tmp_path, "--lake", ran.lake)
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if "/" in line.split()[0]}
    assert "changed file" in lines["ingest/batch_csv"]
    assert "ingest/batch_csv runs before it" in lines["silver/reference"]
    assert "silver/sales runs before it" in lines["gold/sales"]
    assert "gold/sales runs before it" in lines["gold/promotions"]


def test_query_answers_in_csv_and_json_with_nothing_but_data(ran: Settings) -> None:
    select = "select source, count(*) as days, sum(net_sales) as net_sales from gold.kpis_daily group by source"
    as_csv = call("query", select, "--lake", ran.lake, "--format", "csv")
    as_json = call("query", select, "--lake", ran.lake, "--format", "json")
    (row,) = csv.DictReader(io.StringIO(as_csv.stdout))
    (record,) = json.loads(as_json.stdout)
    assert row["source"] == record["source"] == "erp_br"
    assert int(row["days"]) == record["days"] > 50
    assert float(row["net_sales"]) == record["net_sales"] > 0


def test_query_shows_a_table_without_cutting_it(ran: Settings) -> None:
    done = call("query", "select * from gold.kpis_daily order by sold_on limit 1", "--lake", ran.lake, COLUMNS="40")
    assert "average_ticket" in done.stdout
    assert "1 row" in done.stdout


def test_runs_shows_the_ledger(ran: Settings) -> None:
    done = call("runs", "--lake", ran.lake, "--format", "json")
    (run,) = json.loads(done.stdout)
    assert run["outcome"] == "succeeded"
    assert run["steps"] == 8
    assert run["files_loaded"] > 4


def test_a_wrong_query_is_told_in_one_line(ran: Settings) -> None:
    done = call("query", "delete from gold.kpis_daily", "--lake", ran.lake)
    assert done.returncode == 1
    assert "expected exactly one select" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_step_is_told_with_the_known_ones(ran: Settings) -> None:
    done = call("run", "--step", "silver/nothing", "--lake", ran.lake)
    assert done.returncode == 1
    assert "silver/nothing" in done.stderr
    assert "gold/sales" in done.stderr


def test_a_mistake_in_a_pack_is_told_with_file_and_line_before_anything_is_read(tmp_path: Path) -> None:
    pack = tmp_path / "acme"
    pack.mkdir()
    (pack / "sales.yaml").write_text("description: x\nglob: acme/*.csv\nkey: [order]\ncolumns:\n  id: {type: text}\n", encoding="utf-8")
    (tmp_path / "landing").mkdir()
    done = call("run", "--sources", pack, "--landing", tmp_path / "landing", "--lake", tmp_path / "lake")
    assert done.returncode == 1
    assert "sales.yaml:5" in done.stderr
    assert "'text'" in done.stderr
    assert not (tmp_path / "lake" / "archive").exists()


def test_a_missing_landing_folder_is_told(tmp_path: Path) -> None:
    done = call("run", "--landing", tmp_path / "nowhere", "--lake", tmp_path / "lake")
    assert done.returncode == 1
    assert "no landing folder" in done.stderr


def test_rejected_files_leave_exit_code_two_and_their_reasons_while_the_others_are_loaded(tmp_path: Path) -> None:
    landing, lake = tmp_path / "landing", tmp_path / "lake"
    write_twin(landing, size=Size(stores=2, skus=20, months=1, promotions=3))
    (landing / "erp_br" / "vendas_broken.csv").write_text("Pedido,Item\n1,2\n", encoding="latin-1")
    run = ["run", "--landing", landing, "--lake", lake]
    run += [word for step in ("ingest/batch_csv", "silver/reference", "silver/sales") for word in ("--step", step)]
    done = call(*run)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "vendas_broken.csv" in done.stdout
    assert "delimiter" in done.stdout
    answer = call("query", "select count(*) as lines from silver.sales", "--lake", lake, "--format", "json")
    assert json.loads(answer.stdout)[0]["lines"] > 50
    again = call(*run)
    assert again.returncode == 2, "as long as the file stands there unread"
    assert "Nothing to do" in again.stdout
    looked = call("plan", "--landing", landing, "--lake", lake)
    for shown in (again.stdout, looked.stdout):
        (line,) = [line for line in shown.splitlines() if "vendas_broken.csv" in line]
        assert line.startswith("unread file erp_br/vendas_broken.csv, since it was rejected at 20")
        assert "delimiter" in line


def test_a_second_run_at_the_same_time_says_so(ran: Settings) -> None:
    from filelock import FileLock

    with FileLock(ran.lake / ".lock"):
        done = call("run", "--landing", ran.landing, "--lake", ran.lake)
    assert done.returncode == 1
    assert "another run works on" in done.stderr


def test_a_user_brings_files_by_a_pack_alone(tmp_path: Path) -> None:
    pack = tmp_path / "packs" / "acme"
    pack.mkdir(parents=True)
    (pack / "sales.yaml").write_text(
        "description: Sales\nglob: acme/*.csv\nkey: [order, item]\ncolumns:\n"
        "  order: {header: Order, required: true}\n  item: {header: Item}\n  day: {header: Day, type: timestamp, format: '%Y-%m-%d'}\n"
        "  article: {header: Article}\n  pieces: {header: Pieces, type: integer}\n  price: {header: Price, type: 'decimal(10,2)'}\n",
        encoding="utf-8",
    )
    (pack / "sales.sql").write_text(
        "select s.order as order_id, s.item as line, s.day as sold_at, s.day_local_date as sold_on, 'web' as store_id,\n"
        "  s.article as sku, s.pieces as quantity, s.price as unit_price, 'EUR' as currency, 'sold' as status from sales as s",
        encoding="utf-8",
    )
    landing = tmp_path / "landing" / "acme"
    landing.mkdir(parents=True)
    (landing / "a.csv").write_text("Order,Item,Day,Article,Pieces,Price\n1,1,2026-02-03,mouse,2,10.50\n", encoding="utf-8")
    settings = settings_in(tmp_path)
    done = call("run", "--sources", pack, "--landing", settings.landing, "--lake", settings.lake)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = call(
        "query", "select source, sku, units, net_sales, currency from gold.daily_sales", "--lake", settings.lake, "--format", "json"
    )
    assert json.loads(answer.stdout) == [{"source": "acme", "sku": "mouse", "units": 2, "net_sales": 21.0, "currency": "EUR"}]
