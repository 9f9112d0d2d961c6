"""How Athena is asked: by UNLOAD or not, within the workgroup's bounds, and what its refusals say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import awswrangler as wr
import pytest
from tests.support.cloud_settings import CloudSettings
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import night

from sales_tech.aws.cloud import CloudPlatform
from sales_tech.aws.connection import Connection
from sales_tech.aws.warehouse import Athena
from sales_tech.errors import LakeError, QueryError, SettingsError
from sales_tech.lake.query import Reader
from sales_tech.lake.store import Lake


@pytest.fixture
def sold(aws: CloudSettings) -> CloudSettings:
    """A lake with two sales."""
    land_reference(aws.landing)
    land_erp(aws.landing, "vendas_2026-01", sale("P1"), sale("P2"))
    night(aws)
    return aws


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is asked of Athena, in order."""
    seen: list[dict[str, Any]] = []
    start = wr.athena.start_query_execution

    def remember(sql: str, **options: Any) -> Any:
        seen.append({"sql": sql, **options})
        return start(sql, **options)

    monkeypatch.setattr(wr.athena, "start_query_execution", remember)
    return seen


def test_a_query_is_pinned_to_the_snapshots_of_now_so_that_a_result_given_again_is_never_stale(
    sold: CloudSettings, asked: list[dict[str, Any]]
) -> None:
    reader, sql = Reader(sold), "select order_id from silver.sales order by order_id"
    assert len(reader.arrow(sql)) == 2
    first = Lake(sold).snapshot_id("silver.sales")
    land_erp(sold.landing, "vendas_2026-02", sale("P3"))
    night(sold)
    assert len(reader.arrow(sql)) == 3
    second = Lake(sold).snapshot_id("silver.sales")
    texts = [f'{sold.aws.database_prefix}silver.sales FOR VERSION AS OF {number} AS "sales"' for number in (first, second)]
    assert [text in query["sql"] for text, query in zip(texts, asked, strict=True)] == [True, True]
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    assert [query["result_reuse_configuration"] for query in asked] == [reuse, reuse]
    assert {query["workgroup"] for query in asked} == {sold.aws.workgroup}


def test_a_large_result_comes_as_parquet_files(sold: CloudSettings, asked: list[dict[str, Any]], platform: CloudPlatform) -> None:
    assert Reader(sold).arrow("select order_id, sold_at from silver.sales").num_rows == 2
    probe, unload = (query["sql"] for query in asked)
    assert probe.endswith("LIMIT 0")
    assert unload.startswith("UNLOAD (SELECT c0, CAST(CAST(c1 AT TIME ZONE 'UTC' AS TIMESTAMP(6)) AS VARCHAR) AS c1 FROM (")
    listed = sold.cloud.client("s3").list_objects_v2(Bucket=sold.lake.split("/")[2], Prefix="athena/unload/")
    assert len(listed["Contents"]) == 1
    assert asked[1]["result_reuse_configuration"] is None


def test_results_may_be_asked_for_anew_each_time(sold: CloudSettings, asked: list[dict[str, Any]]) -> None:
    Athena(Connection(), sold.aws.workgroup, reuse=0).answer("select 1 as one", large=False)
    assert asked[0]["result_reuse_configuration"] is None


def test_a_query_that_would_read_too_much_is_told_how_much_is_allowed_and_what_to_do(sold: CloudSettings) -> None:
    bounded = f"{sold.aws.workgroup}-bounded"
    place = {"OutputLocation": f"{sold.lake}/athena/"}
    sold.cloud.client("athena").create_work_group(
        Name=bounded, Configuration={"ResultConfiguration": place, "BytesScannedCutoffPerQuery": 10}
    )
    athena = Athena(Connection(), bounded)
    table = f"{sold.aws.database_prefix}silver.sales"
    for large in (False, True):
        with pytest.raises(QueryError) as caught:
            athena.answer(f"select * from {table}", large=large)
        told = str(caught.value)
        assert told.startswith("the query would read more than the 0 MiB that workgroup salestech-")
        assert "name the columns you need, narrow sold_on to fewer months" in told


def test_athenas_own_reason_is_passed_on(sold: CloudSettings) -> None:
    with pytest.raises(QueryError, match=r'^the query failed: .*"price"'):
        Reader(sold).arrow("select price from silver.sales")


def test_a_workgroup_that_is_not_there_is_told(sold: CloudSettings) -> None:
    with pytest.raises((QueryError, LakeError), match="nowhere"):
        Athena(Connection(), "nowhere").answer("select 1", large=False)


def test_a_workgroup_without_a_place_for_results_is_told(sold: CloudSettings) -> None:
    with pytest.raises(SettingsError, match="workgroup primary has no place for results; expected one such as s3://"):
        Athena(Connection(), "primary").answer("select 1 as one", large=True)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Waiting for a query ends in Ctrl-C; the ids of the queries that are stopped then."""
    stopped: list[str] = []

    def wait(_query: str, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(wr.athena, "wait_query", wait)
    monkeypatch.setattr(wr.athena, "stop_query_execution", lambda query, **_options: stopped.append(query))
    return stopped


def test_a_query_that_is_no_longer_waited_for_is_stopped(sold: CloudSettings, interrupted: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        Athena(Connection(), sold.aws.workgroup).answer("select 1 as one", large=False)
    assert len(interrupted) == 1
