"""How Athena is asked: by UNLOAD or not, within the workgroup's bounds, and what its refusals say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import awswrangler as wr
import pytest
from tests.support.cloud_settings import CloudSettings

from sales_tech.aws.connection import Connection
from sales_tech.aws.warehouse import Athena
from sales_tech.errors import LakeError, QueryError, SettingsError
from sales_tech.lake.query import Reader


@pytest.fixture
def sold(shared_shelf: Any) -> CloudSettings:
    """A lake with a table that is only read."""
    return shared_shelf.settings


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
    shelf: Any, asked: list[dict[str, Any]]
) -> None:
    reader, sql = Reader(shelf.settings), "select sku from silver.shelf order by sku"
    snapshots = [shelf.lake.snapshot_id(shelf.name)]
    reader.arrow(sql)
    snapshots.append(shelf.bookmark())
    assert reader.arrow(sql).num_rows == 2
    aws = shelf.settings.aws
    texts = [
        f'select sku from {aws.database_prefix}silver.shelf FOR VERSION AS OF {number} AS "shelf" order by sku' for number in snapshots
    ]
    assert [query["sql"] for query in asked] == texts
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    assert [query["result_reuse_configuration"] for query in asked] == [reuse, reuse]
    assert {query["workgroup"] for query in asked} == {aws.workgroup}


def test_a_large_result_comes_as_parquet_files(sold: CloudSettings, asked: list[dict[str, Any]]) -> None:
    assert Reader(sold).arrow("select sku, put_at from silver.shelf").num_rows == 2
    probe, unload = (query["sql"] for query in asked)
    assert probe.endswith("LIMIT 0")
    assert unload.startswith("UNLOAD (SELECT c0 AS c0, CAST(CAST(c1 AT TIME ZONE 'UTC' AS TIMESTAMP(6)) AS VARCHAR) AS c1 FROM (")
    listed = sold.cloud.client("s3").list_objects_v2(Bucket=sold.lake.split("/")[2], Prefix="athena/unload/")
    assert len(listed["Contents"]) == 1
    assert asked[1]["result_reuse_configuration"] is None


def test_what_no_file_of_unload_can_hold_comes_as_text_and_a_null_without_a_type_as_null(sold: CloudSettings) -> None:
    columns = "null as nothing, time '10:00:00' as at, timestamp '2026-03-02 02:00:00' - timestamp '2026-03-01 00:00:00' as took"
    large = Reader(sold).arrow(f"select {columns}, cast(sku as varchar) as sku from silver.shelf")
    assert [str(kind) for kind in large.schema.types] == ["null", "string", "string", "string"]
    assert large.to_pylist()[0].keys() == {"nothing", "at", "took", "sku"}
    assert set(large.column("at").to_pylist()) == {"10:00:00"}
    assert large.column("nothing").to_pylist() == [None, None]
    assert Reader(sold).arrow("select null as nothing").to_pylist() == [{"nothing": None}]


def test_results_may_be_asked_for_anew_each_time(sold: CloudSettings, asked: list[dict[str, Any]]) -> None:
    Athena(Connection(), sold.aws.workgroup, reuse=0).answer("select 1 as one", large=False)
    assert asked[0]["result_reuse_configuration"] is None


def test_a_query_that_would_read_too_much_is_told_how_much_is_allowed_and_what_to_do(shelf: Any) -> None:
    settings, bounded = shelf.settings, f"{shelf.settings.aws.workgroup}-bounded"
    place = {"OutputLocation": f"{settings.lake}/athena/"}
    least = {"ResultConfiguration": place, "BytesScannedCutoffPerQuery": 10_000_000}  # Athena allows no less
    settings.cloud.client("athena").create_work_group(Name=bounded, Configuration=least)
    shelf.fill("select md5(random()::varchar) as sku, null as put_at from range(800000)")
    athena, sql = Athena(Connection(), bounded), f"select * from {settings.aws.database_prefix}silver.shelf"
    for large in (False, True):
        with pytest.raises(QueryError) as caught:
            athena.answer(sql, large=large)
        told = str(caught.value)
        assert told.startswith(f"the query would read more than the 10 MB that workgroup {bounded} allows; name the columns you need")
        assert "narrow sold_on to fewer months" in told


def test_athenas_own_reason_is_passed_on(sold: CloudSettings) -> None:
    with pytest.raises(QueryError, match=r'^the query failed: .*"price"'):
        Reader(sold).arrow("select price from silver.shelf")


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
