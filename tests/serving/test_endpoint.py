"""The endpoint over HTTP: it says what the outlook says, and what it refuses is told in full."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import socket
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.models.pasts import plan, recipe, small_past
from tests.planning.outlooks import outlook as small_outlook
from tests.serving.calling import Caller

from sales_tech.forecasting import PromotionForecaster
from sales_tech.planning import Outlook, PromotionPlanner
from sales_tech.planning.demand import KnownUplift, demand_of
from sales_tech.serving import app, server
from sales_tech.serving.answers import MOST_ROWS, SUMMED, answer, kind_of_answer, records, totals
from sales_tech.serving.app import MOST_BYTES, application
from sales_tech.serving.refusals import Problem, Refused
from sales_tech.serving.requests import MOST_PROMOTIONS, Asked, asked

JSON, CSV = {"Content-Type": "application/json"}, {"Content-Type": "text/csv", "Accept": "text/csv"}
PROMOTION = {
    "promotion_id": "plan",
    "sku": "S2",
    "mechanic": "percentual",
    "discount_share": 0.2,
    "starts_on": "2025-06-06",
    "ends_on": "2025-06-15",
    "investment": 50.0,
}


@pytest.fixture(scope="module")
def planner() -> PromotionPlanner:
    return recipe().fit(small_past())


@pytest.fixture(scope="module")
def outlook(planner: PromotionPlanner) -> Outlook:
    return planner.outlook_


@pytest.fixture(scope="module")
def client(outlook: Outlook) -> Caller:
    return Caller(application(outlook, "test"))


def ask(client: Caller, *promotions: dict[str, Any], **more: Any) -> Any:
    return client.post("/invocations", json={"promotions": list(promotions), **more})


def problems(answer: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = answer.json()["errors"]
    assert all(set(one) == {"found", "expected", "remedy", "row", "field"} for one in told)
    return told


def test_a_request_is_read_in_another_thread_than_the_one_that_tells_health(client: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = dict[str, int]()

    def watch(name: str) -> None:
        plainly = getattr(app, name)
        monkeypatch.setattr(app, name, lambda *given: threads.update({name: threading.get_ident()}) or plainly(*given))

    watch("kind_of_answer")
    watch("asked")
    assert ask(client, PROMOTION).status_code == 200
    assert threads.keys() == {"kind_of_answer", "asked"}
    assert threads["asked"] != threads["kind_of_answer"]


def test_ping_tells_that_it_is_ready(client: Caller) -> None:
    assert (client.get("/ping").status_code, client.get("/ping").content) == (200, b"")


def test_the_endpoint_answers_what_the_outlook_answers_on_the_same_rows(client: Caller, outlook: Outlook) -> None:
    answer = ask(client, PROMOTION).json()
    assert plan()["starts_on"].iloc[0] == pd.Timestamp(PROMOTION["starts_on"])
    for name, expected in (("days", outlook.forecast(plan())), ("alternatives", outlook.alternatives(plan()))):
        told = pd.DataFrame(answer[name])
        assert list(told.columns) == list(expected.columns)
        for column in expected:
            if expected[column].dtype.kind == "M":
                assert pd.to_datetime(told[column]).tolist() == expected[column].tolist()
            elif expected[column].dtype.kind == "f":
                assert told[column].astype("float64").to_numpy() == pytest.approx(expected[column].to_numpy(), rel=1e-15, nan_ok=True)
            else:
                assert told[column].replace({np.nan: None}).tolist() == expected[column].replace({np.nan: None}).tolist()
    total = outlook.forecast(plan())["units"].sum()
    assert answer["promotions"][0]["units"] == pytest.approx(total)
    assert (answer["origin"], answer["currency"], answer["warnings"]) == ("2025-06-04", "BRL", [])


def test_a_planner_that_forecasts_anew_says_what_the_endpoint_says(client: Caller) -> None:
    told = pd.DataFrame(ask(client, PROMOTION).json()["days"])
    direct = recipe().fit(small_past()).outlook_.forecast(plan())
    assert told["units"].to_numpy() == pytest.approx(direct["units"].to_numpy(), rel=1e-15)


def test_the_features_of_fit_and_of_predict_are_the_same_on_the_same_rows() -> None:
    panel = demand_of(small_past(days=171), 21).panel
    cutoff = panel["date"].max() - pd.Timedelta(days=21)
    ahead = panel[panel["date"] > cutoff].reset_index(drop=True)
    fitted = PromotionForecaster(
        series=["sku", "channel"],
        static=["category", "brand"],
        horizon=21,
        available="available",
        effects=KnownUplift(),
        most_rows=2_000,
        trees=8,
    ).fit(panel[panel["date"] <= cutoff])
    served = fitted.features(ahead)
    # Once the days have passed, what is learnt from them is made by the function that trains, from the same origin.
    past = fitted.observe(panel).past_
    row = np.flatnonzero(past.rows.period > past.last - 21)
    trained = fitted.ensemble_.matrix(past, fitted._calendar(past), row, past.rows.period[row] - (past.last - 21))
    assert served.names == trained.names
    assert len(served.values) == len(ahead) == len(row)
    np.testing.assert_allclose(served.values, trained.values, rtol=1e-6)
    np.testing.assert_allclose(served.level, trained.level)


def test_csv_has_the_same_fields_and_the_rows_of_days(client: Caller, outlook: Outlook) -> None:
    body = ",".join(PROMOTION) + "\r\n" + ",".join(map(str, PROMOTION.values())) + "\r\n"
    answer = client.post("/invocations", content="\ufeff" + body, headers=CSV)
    assert answer.headers["content-type"].startswith("text/csv")
    told = pd.read_csv(io.StringIO(answer.text), parse_dates=["sold_on"])
    expected = outlook.forecast(plan())
    assert list(told.columns) == list(expected.columns)
    assert told["units"].to_numpy() == pytest.approx(expected["units"].to_numpy())
    assert client.post("/invocations", content=body, headers=CSV | {"Accept": "application/json"}).json() == ask(client, PROMOTION).json()


def test_several_skus_on_the_same_terms_are_one_promotion(client: Caller, outlook: Outlook) -> None:
    several = {name: value for name, value in PROMOTION.items() if name != "sku"} | {"skus": ["S2", "S3"]}
    answer = ask(client, several).json()
    plans = pd.concat([plan(), plan(sku="S3")], ignore_index=True)
    assert len(answer["promotions"]) == 1
    assert answer["promotions"][0]["units"] == pytest.approx(outlook.forecast(plans)["units"].sum())
    assert len(answer["days"]) == 2 * 2 * 10


@pytest.mark.parametrize("name", ["skus", "channels", "depths", "promotions"])
def test_an_empty_list_is_not_told_to_be_asked_in_several_requests(client: Caller, name: str) -> None:
    several = {field: value for field, value in PROMOTION.items() if field != "sku"} | {"skus": ["S2"]}
    body = {"promotions": [several | {name: []}]} if name in ("skus", "channels") else {"promotions": [PROMOTION], name: []}
    (problem,) = problems(client.post("/invocations", json=body))
    assert (problem["field"], problem["found"], problem["remedy"]) == (name, "0 entries", "name at least one")


def test_channels_that_are_named_are_those_that_are_told(client: Caller, outlook: Outlook) -> None:
    first, second = sorted(outlook.members["channel"].unique())
    everywhere, both, one = (ask(client, PROMOTION | more).json() for more in ({}, {"channels": [second, first]}, {"channels": [second]}))
    assert both == everywhere
    assert both["promotions"][0]["units"] > one["promotions"][0]["units"]
    assert one == ask(client, PROMOTION | {"channel": second}).json()
    (problem,) = problems(ask(client, PROMOTION | {"channels": [first, "mars"]}))
    assert (problem["field"], problem["found"]) == ("channel", f"{first}, mars")


def test_depths_that_are_asked_are_compared_and_days_can_be_left_out(client: Caller) -> None:
    answer = client.post("/invocations?days=no", json={"promotions": [PROMOTION], "depths": [0.1, 0.15]}).json()
    assert sorted(row["discount_share"] for row in answer["alternatives"]) == [0.1, 0.15, 0.2]
    assert sorted(row["rank"] for row in answer["alternatives"]) == [1, 2, 3]
    assert "days" not in answer


def test_days_are_left_out_by_the_body_too_which_is_all_that_sagemaker_passes_on(client: Caller) -> None:
    by_address = client.post("/invocations?days=no", json={"promotions": [PROMOTION]}).json()
    assert ask(client, PROMOTION, days=False).json() == by_address
    assert "days" in ask(client, PROMOTION, days=True).json()


def test_what_is_known_of_some_rows_only_is_told_of_these() -> None:
    days = pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-02"])
    rows = pd.DataFrame({"promotion_id": ["b", "b", "a"], "sold_on": days, "known": [True, False, True]})
    rows = rows.assign(promotions=[1, 2, 3], **{name: [1.5, 2.25, 4.0] for name in SUMMED}).assign(margin=[1.0, np.nan, 2.0])
    told = records(rows[["promotion_id", "sold_on", "known", "promotions", "units", "margin"]])
    assert [tuple(row.values()) for row in told] == [
        ("b", "2026-03-01", True, 1, 1.5, 1.0),
        ("b", "2026-03-02", False, 2, 2.25, None),
        ("a", "2026-03-02", True, 3, 4.0, 2.0),
    ]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert totals(rows) == [
        {"promotion_id": "b"} | dict.fromkeys(SUMMED, 3.75) | {"margin": None},
        {"promotion_id": "a"} | dict.fromkeys(SUMMED, 4.0) | {"margin": 2.0},
    ]


def test_an_answer_longer_than_what_is_passed_on_is_refused_with_what_to_do(outlook: Outlook) -> None:
    whole = Caller(application(outlook))
    long, short = (len(ask(whole, PROMOTION, **more).content) for more in ({}, {"days": False}))
    assert short < long - 1
    client = Caller(application(outlook, most_bytes=long - 1))
    refused = ask(client, PROMOTION)
    assert refused.status_code == 422, "what is asked, and not the model, is at fault"
    (problem,) = problems(refused)
    assert problem["found"] == f"an answer of {long:,} bytes"
    assert problem["expected"].startswith(f"at most {long - 1:,}")
    assert ask(client, PROMOTION, days=False).status_code == 200
    assert ask(Caller(application(outlook, most_bytes=long)), PROMOTION).status_code == 200


def test_a_margin_that_is_not_known_is_none_and_not_a_number() -> None:
    client = Caller(application(recipe().fit(small_past(costed=False)).outlook_))
    answer = client.post("/invocations", json={"promotions": [PROMOTION]})
    assert "NaN" not in answer.text
    assert answer.json()["promotions"][0]["margin"] is None
    assert answer.json()["days"][0]["margin"] is None


def test_a_depth_beyond_all_that_was_tried_is_answered_with_a_warning(client: Caller) -> None:
    answer = ask(client, PROMOTION | {"discount_share": 0.5})
    assert answer.status_code == 200
    assert any("deeper discount than was ever tried" in warning for warning in answer.json()["warnings"])


def test_what_other_threads_are_warned_of_meanwhile_is_no_warning_of_an_answer(client: Caller) -> None:
    done = threading.Event()

    def warn() -> None:
        while not done.is_set():
            with contextlib.suppress(DeprecationWarning):
                warnings.warn("of another thread", DeprecationWarning, stacklevel=1)

    other = threading.Thread(target=warn)
    other.start()
    try:
        told = ask(client, PROMOTION | {"discount_share": 0.9}).json()["warnings"]
    finally:
        done.set()
        other.join()
    assert ["deeper discount than was ever tried" in warning for warning in told] == [True]


def test_a_promotion_that_has_begun_and_one_where_nothing_is_sold_are_warned_of(client: Caller) -> None:
    begun = PROMOTION | {"starts_on": "2025-06-03", "ends_on": "2025-06-06"}
    nowhere = PROMOTION | {"promotion_id": "nowhere", "channel": "loja", "region": "Norte"}
    first, second = ask(client, begun, nowhere).json()["warnings"]
    assert first == "promotion nowhere runs where nothing is sold of S2: channel loja, region Norte"
    assert second.startswith("promotion plan begins on 2025-06-03, 2 days before 2025-06-05, the first day told")
    assert second.endswith("its investment of R$ 50.00 that of all 4")


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e999", "-0.01", "1.7e308", "1000000000001"])
def test_an_investment_that_is_no_amount_is_refused(client: Caller, amount: str) -> None:
    body = json.dumps({"promotions": [PROMOTION]}).replace("50.0", amount)
    as_csv = ",".join(PROMOTION) + "\n" + ",".join(map(str, PROMOTION.values())).replace("50.0", amount)
    for text, kind in ((body, JSON), (as_csv, CSV)):
        answer = client.post("/invocations", content=text, headers=kind)
        assert answer.status_code == 422
        assert (problems(answer)[0]["row"], problems(answer)[0]["field"]) == (1, "investment")


def test_the_largest_investments_that_are_taken_are_answered_and_larger_ones_are_no_fault_of_the_endpoint(client: Caller) -> None:
    terms = {name: value for name, value in PROMOTION.items() if name != "sku"} | {"skus": ["S2", "S4"]}
    assert client.post("/invocations", json={"promotions": [terms | {"investment": 1e12}]}).status_code == 200
    answer = client.post("/invocations", json={"promotions": [terms | {"investment": 1.7e308}]})
    assert answer.status_code == 422, "the sum of both is infinite, which is no JSON"
    assert problems(answer)[0]["expected"].startswith("money from 0 to 1,000,000,000,000 ")


@pytest.mark.parametrize(
    ("changed", "field", "found"),
    [
        ({"discount_share": 1.4}, "discount_share", "1.4"),
        ({"discount_share": "much"}, "discount_share", "much"),
        ({"discount_share": None}, "discount_share", "None"),
        ({"starts_on": "01/06/2025"}, "starts_on", "01/06/2025"),
        ({"starts_on": 20250606}, "starts_on", "20250606"),
        ({"ends_on": "2025-06-31"}, "ends_on", "2025-06-31"),
        ({"ends_on": "2025-06-01"}, "ends_on", "2025-06-01"),
        ({"investment": -1}, "investment", "-1"),
        ({"display": "perhaps"}, "display", "perhaps"),
        ({"sku": ""}, "sku", ""),
        ({"sku": None}, "sku", "neither sku nor skus"),
        ({"skus": ["S1"]}, "sku", "both sku and skus"),
        ({"price": 3}, "price", "the field price"),
        ({"channel": "loja", "channels": ["online"]}, "channels", "both channel and channels"),
        ({"channels": ["loja", "loja"]}, "channels", "a channel twice in channels"),
        ({"channels": []}, "channels", "0 entries"),
        ({"channels": "loja"}, "channels", "loja"),
    ],
)
def test_a_field_that_cannot_be_is_told_with_its_row(client: Caller, changed: dict[str, Any], field: str, found: str) -> None:
    answer = ask(client, PROMOTION, PROMOTION | {"promotion_id": "other"} | changed)
    assert answer.status_code == 422
    (problem,) = problems(answer)
    assert (problem["row"], problem["field"], problem["found"]) == (2, field, found)
    assert problem["expected"]
    assert problem["remedy"]


def of_json(*promotions: dict[str, Any], **more: Any) -> Asked:
    return asked(json.dumps({"promotions": list(promotions), **more}).encode(), "application/json")


def of_csv(*lines: str) -> Asked:
    return asked("\n".join(lines).encode(), "text/csv")


def refused(ask: Callable[[], Any]) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as caught:
        ask()
    assert caught.value.status == 422
    return caught.value.problems


TERMS = {name: value for name, value in PROMOTION.items() if name not in ("sku", "promotion_id")}


def test_each_row_of_a_plan_knows_the_promotion_that_asked_for_it() -> None:
    question = of_json(
        TERMS | {"skus": ["S2", "S3"], "channels": ["loja", "online"]},
        TERMS | {"sku": "S4", "promotion_id": "b", "channel": "loja", "region": "Sul", "display": True, "investment": None},
        depths=[0.1, 0.3],
        days=False,
    )
    assert (question.rows, question.depths, question.days) == ((1, 1, 2), (0.1, 0.3), False)
    told = question.plans.astype(object).where(question.plans.notna(), None).to_dict("records")
    day = {"starts_on": pd.Timestamp("2025-06-06"), "ends_on": pd.Timestamp("2025-06-15"), "mechanic": "percentual", "discount_share": 0.2}
    first = {"promotion_id": "1", "channel": ("loja", "online"), "region": None, "display": None, "investment": 50.0} | day
    second = {"promotion_id": "b", "sku": "S4", "channel": "loja", "region": "Sul", "display": True, "investment": None} | day
    assert told == [first | {"sku": "S2"}, first | {"sku": "S3"}, second]
    assert (of_json(PROMOTION).depths, of_json(PROMOTION).days, of_json(PROMOTION, days=None).days) == (None, True, True)


def test_a_promotion_may_have_skus_on_other_terms_but_none_twice() -> None:
    deep = {"promotion_id": "P", "discount_share": 0.3}
    told = of_json(TERMS | {"promotion_id": "P", "skus": ["S1", "S2"]}, TERMS | deep | {"skus": ["S3"]}, TERMS | deep | {"sku": "S4"}).plans
    assert list(zip(told["promotion_id"], told["sku"], told["discount_share"], strict=True)) == [
        ("P", "S1", 0.2), ("P", "S2", 0.2), ("P", "S3", 0.3), ("P", "S4", 0.3)
    ]  # fmt: skip
    for again in ({"skus": ["S3", "S2"]}, {"sku": "S2"}):
        (problem,) = refused(lambda again=again: of_json(TERMS | {"promotion_id": "P", "skus": ["S1", "S2"]}, TERMS | deep | again))  # type: ignore[misc]
        assert (problem.row, problem.field, problem.found) == (2, "promotion_id", "P")
        assert problem.remedy == "give the second one a promotion_id of its own"


def test_a_csv_is_read_by_its_names_whatever_their_order_with_blank_lines_and_cells_left_out() -> None:
    lines = [
        "ends_on,sku,discount_share,starts_on,mechanic,region", "", "2025-06-15, S2 ,0.2,2025-06-06,percentual,",
        "", '2025-06-15,"S,3",0.3,2025-06-06,percentual,Sul',
    ]  # fmt: skip
    told = of_csv(*lines)
    assert told.plans[["promotion_id", "sku", "discount_share", "region"]].astype(object).values.tolist() == [
        ["1", "S2", 0.2, None], ["2", "S,3", 0.3, "Sul"]
    ]  # fmt: skip
    assert asked("\n".join(lines).encode(), "Text/CSV ; charset=utf-8").plans.equals(told.plans)
    (problem,) = refused(lambda: of_csv(*lines, "2025-06-15,S4,1.5,2025-06-06,percentual,"))
    assert (problem.row, problem.field, problem.found) == (3, "discount_share", "1.5")
    assert problem.expected == "a share of the list price above 0 and below 1, such as 0.2 for 20 %"
    (problem,) = refused(lambda: asked(b"[]", "application/json"))
    assert (problem.row, problem.field, problem.expected) == (None, None, "an object with a list of promotions")
    (problem,) = refused(lambda: of_csv(*lines, "2025-06-15,S4,0.2"))
    assert (problem.row, problem.found, problem.expected) == (3, "3 fields", "6, as the first line names")
    (problem,) = refused(lambda: of_csv("sku,price,cost"))
    assert (problem.found, problem.field, problem.row) == ("the column price", "price", None)
    (problem,) = refused(lambda: of_csv("sku,mechanic"))
    assert (problem.found, problem.remedy) == ("0 rows", "write a row for each promotion")


@pytest.mark.parametrize("body", ["[]", '[{"sku": "S2"}]', "5", "null"])
def test_a_body_that_is_no_object_is_told_in_what_to_put_it(body: str) -> None:
    (problem,) = refused(lambda: asked(body.encode(), "application/json"))
    assert (problem.row, problem.field, problem.expected) == (None, None, "an object with a list of promotions")
    assert problem.remedy == 'write it in braces, such as {"promotions": [...]}'
    (problem,) = refused(lambda: asked(f'{{"promotions": [{json.dumps(PROMOTION)}, {body}]}}'.encode(), "application/json"))
    assert (problem.row, problem.field, problem.expected) == (2, None, "an object with the fields of a promotion")


def test_a_mark_of_the_encoding_and_blanks_about_names_change_nothing() -> None:
    given = {name: PROMOTION[name] for name in ("sku", "mechanic", "discount_share", "starts_on", "ends_on")}
    plain = of_json(given)
    marked = asked(b"\xef\xbb\xbf" + json.dumps({"promotions": [given]}).encode(), "application/json")
    spaced = of_csv(" , ".join(given), " , ".join(map(str, given.values())))
    for told in (marked, spaced):
        pd.testing.assert_frame_equal(told.plans, plain.plans)


def test_as_many_promotions_and_problems_are_told_as_are_promised() -> None:
    lines = [
        "sku,mechanic,discount_share,starts_on,ends_on",
        *(f"S{number},m,0.2,2025-06-06,2025-06-06" for number in range(MOST_PROMOTIONS)),
    ]
    assert len(of_csv(*lines).plans) == MOST_PROMOTIONS == 2_000
    (problem,) = refused(lambda: of_csv(*lines, lines[-1]))
    assert problem.found == "2,001 rows"
    halves = [TERMS | {"skus": [f"{half}{number}" for number in range(1_000)]} for half in "AB"]
    assert of_json(*halves).rows == (1,) * 1_000 + (2,) * 1_000
    (problem,) = refused(lambda: of_json(*halves, PROMOTION))
    assert (problem.found, problem.field) == ("2,001 SKUs in all", "skus")
    (problem,) = refused(lambda: of_json(TERMS | {"skus": [f"S{number}" for number in range(MOST_PROMOTIONS + 1)]}))
    assert (problem.row, problem.field, problem.found, problem.remedy) == (1, "skus", "2001 entries", "ask in several requests")
    wrong = [PROMOTION | {"promotion_id": str(number), "ends_on": "2025-06-05", "skus": ["S1"]} for number in range(15)]
    told = refused(lambda: of_json(*wrong))
    assert [(one.row, one.field) for one in told] == [(row, field) for row in range(1, 11) for field in ("sku", "ends_on")]
    assert len(refused(lambda: of_json(*(PROMOTION | {"mechanic": ""} for _ in range(30))))) == 20


def test_days_of_skus_are_counted_with_their_first_and_last_one() -> None:
    skus = [f"S{number}" for number in range(MOST_PROMOTIONS)]
    last = pd.Timestamp("2026-04-01") + pd.Timedelta(days=MOST_ROWS // MOST_PROMOTIONS - 1)
    known = small_outlook(horizon=150)
    for more, found in ((0, "S0"), (1, "202,000 days of SKUs in all")):
        ends = f"{last + pd.Timedelta(days=more):%Y-%m-%d}"
        question = of_json(TERMS | {"skus": skus, "starts_on": "2026-04-01", "ends_on": ends})
        (problem,) = refused(lambda question=question: answer(known, question, "text/csv"))  # type: ignore[misc]
        assert problem.found == found


def test_only_the_days_that_are_told_of_a_promotion_that_has_long_begun_are_counted() -> None:
    known = small_outlook()
    long, week = (
        {**TERMS, "sku": "A", "mechanic": "leaflet", "starts_on": start, "ends_on": "2026-04-07"} for start in ("0001-01-01", "2026-04-01")
    )
    assert answer(known, of_json(long), "text/csv") == answer(known, of_json(week), "text/csv")
    (problem,) = refused(lambda: answer(known, of_json(week | {"ends_on": "9999-12-31"}), "text/csv"))
    assert (problem.row, problem.field, problem.expected) == (1, "ends_on", "a day up to 2026-04-10, since 10 days ahead are told")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON), (" ", JSON), ("*/*", JSON), ("application/*", JSON), ("text/*", CSV), ("Text/CSV", CSV), ("image/png, */*;q=0.1", JSON),
        ("application/json, text/csv", JSON), ("text/csv, application/json", CSV), ("application/json;q=0.4, text/csv; q=0.5", CSV),
        ("text/csv;charset=utf-8;q=0.3, */*;q=0.2", CSV), ("text/csv;q=0.3, */*", JSON), ("application/json;q=0, text/csv;q=0.1", CSV),
        ("text/csv;q=much", CSV), ("application/json;q=0.9, text/csv;q=much", CSV), ("application/json;q=0", None), ("image/png", None),
        ("application/json, text/csv;q=much", JSON), ("text/csv;q=0", None), ("text/csv;q=0, application/*;q=0.001", JSON),
    ],
)  # fmt: skip
def test_an_answer_is_of_the_kind_that_is_wanted_most(accept: str, kind: dict[str, str] | None) -> None:
    if kind is not None:
        assert kind_of_answer(accept) == kind["Content-Type"]
        return
    with pytest.raises(Refused) as caught:
        kind_of_answer(accept)
    assert (caught.value.status, caught.value.problems[0].expected) == (406, "application/json or text/csv")


def test_a_promotion_without_a_name_is_not_taken_for_the_one_that_has_its_number_for_a_name(client: Caller) -> None:
    nameless = {name: value for name, value in PROMOTION.items() if name != "promotion_id"} | {"sku": "S3"}
    answer = ask(client, PROMOTION | {"promotion_id": "2"}, nameless)
    assert answer.status_code == 422
    (problem,) = problems(answer)
    assert (problem["row"], problem["field"]) == (2, "promotion_id")
    assert problem["found"] == "nothing, which means 2, the promotion_id of another"
    assert len(ask(client, PROMOTION | {"promotion_id": "1"}, nameless).json()["promotions"]) == 2


def test_a_column_that_stands_twice_is_refused(client: Caller) -> None:
    body = ",".join([*PROMOTION, "sku"]) + "\n" + ",".join([*map(str, PROMOTION.values()), "S3"])
    (problem,) = problems(client.post("/invocations", content=body, headers=CSV))
    assert (problem["found"], problem["field"], problem["row"]) == ("the column sku twice", "sku", None)


@pytest.mark.parametrize(("mark", "words"), [(";", "semicolons between fields"), ("\t", "tabs between fields")])
def test_a_file_with_other_marks_than_commas_is_told_so(client: Caller, mark: str, words: str) -> None:
    body = mark.join(PROMOTION) + "\n" + mark.join(map(str, PROMOTION.values()))
    answer = client.post("/invocations", content=body, headers=CSV)
    assert answer.status_code == 422
    (problem,) = problems(answer)
    assert (problem["found"], problem["remedy"]) == (words, "write the file with commas")


def test_a_missing_field_is_told_by_its_name(client: Caller) -> None:
    (problem,) = problems(ask(client, {name: value for name, value in PROMOTION.items() if name != "mechanic"}))
    assert (problem["row"], problem["field"], problem["found"], problem["remedy"]) == (1, "mechanic", "nothing", "add mechanic")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"sku": "S9"}, "one that is sold, such as S0"),
        ({"channel": "fax"}, "loja, online, or none for all"),
        ({"region": "Lua"}, "Norte, Sul"),
        ({"ends_on": "2026-01-01"}, "a day up to 2025-06-25, since 21 days ahead are told"),
        ({"starts_on": "2025-05-01", "ends_on": "2025-05-02"}, "a day after 2025-06-04, the last one known"),
        ({"mechanic": "sorteio"}, "percentual"),
        ({"display": True}, "no display"),
    ],
)
def test_what_the_outlook_refuses_is_told_with_row_and_field(client: Caller, changed: dict[str, Any], expected: str) -> None:
    several = {name: value for name, value in PROMOTION.items() if name != "sku"} | {"promotion_id": "two", "skus": ["S3", "S4"]}
    answer = ask(client, several, PROMOTION | changed)
    assert answer.status_code == 422
    (problem,) = problems(answer)
    field = list(changed)[-1]
    assert (problem["row"], problem["field"], problem["found"]) == (2, field, str(changed[field]))
    assert problem["expected"] == expected
    assert problem["remedy"] == f"correct {field}"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b"sku\n\xff\xfe", CSV, 400),
        (b'sku\n"S1\n', CSV, 400),
        (b"{}", {"Content-Type": "application/xml"}, 415),
        (b"{}", JSON, 422),
        (b"[]", JSON, 422),
        (b'{"promotions": []}', JSON, 422),
        (b"", CSV, 422),
        (b"sku,price\nS1,3\n", CSV, 422),
        (b"sku,mechanic\nS1\n", CSV, 422),
        (b'{"promotions": [' + b" " * MOST_BYTES + b"]}", JSON, 413),
        (b"{}", JSON | {"Accept": "image/png"}, 406),
    ],
)
def test_a_body_that_is_not_understood_is_told_as_such(client: Caller, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = client.post("/invocations", content=body, headers=headers)
    assert answer.status_code == status
    assert problems(answer)


def test_a_body_in_parts_is_measured_while_it_comes(client: Caller) -> None:
    answer = client.post("/invocations", content=(b" " * 70_000 for _ in range(20)), headers=JSON)
    assert answer.status_code == 413
    assert problems(answer)[0]["expected"] == f"at most {MOST_BYTES:,}"


def test_too_many_rows_are_refused_before_they_are_worked_out(client: Caller) -> None:
    many = {name: value for name, value in PROMOTION.items() if name != "sku"} | {"skus": [f"S{number}" for number in range(2_001)]}
    assert ask(client, many).status_code == 422


def test_a_fault_tells_no_trace_and_the_log_nothing_of_the_request(outlook: Outlook, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Outlook):
        def answered(self, plans: pd.DataFrame, depths: Any = None) -> Any:
            raise RuntimeError(f"a secret of {plans['sku'].iloc[0]}")

    broken = Broken.from_frames(outlook.to_frames(), outlook.about)
    client = Caller(application(broken))
    logging.getLogger("sales_tech.serving").propagate = True
    with caplog.at_level(logging.INFO):
        answer = client.post("/invocations", json={"promotions": [PROMOTION]})
        ask(client, PROMOTION | {"sku": "S9"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    told = [json.loads(record.getMessage()) for record in caplog.records if record.name == "sales_tech.serving"]
    assert told[0] == {"event": "failed", "error": "RuntimeError", "where": told[0]["where"]}
    assert told[0]["where"].startswith("test_endpoint.py:")
    assert "S2" not in caplog.text
    assert "S9" not in "".join(record.getMessage() for record in caplog.records if record.name == "sales_tech.serving")


def test_other_addresses_and_methods_are_told_as_such(client: Caller) -> None:
    assert problems(client.get("/nowhere"))[0]["expected"] == "/ping, /invocations, /docs or /"
    assert client.get("/invocations").status_code == 405
    assert client.get("/docs/../app.py").status_code == 404
    assert client.get("/docs/core.py").status_code == 404


def test_the_end_of_an_answer_does_not_wait_for_the_one_who_asked() -> None:
    async def undelayed() -> int:
        waits: list[int] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            waits.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with server._bound(server.LOOPBACK, 0) as bound:
            port = bound.getsockname()[1]
            async with await asyncio.start_server(answer, sock=bound):
                reader, writer = await asyncio.open_connection(server.LOOPBACK, port)
                await reader.read()
                writer.close()
        return waits[0]

    assert asyncio.run(undelayed()) != 0
