"""The pages for people: whole without a network, labelled, in two languages; and the description of the endpoint."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from tests.models.pasts import recipe, small_past
from tests.serving.calling import Caller

from sales_tech.orchestration.release import sample_question
from sales_tech.serving.app import PAGE, application
from sales_tech.serving.choices import MOST_SKUS, Choices
from sales_tech.serving.requests import EXPECTED, PlannedPromotion, Question


@pytest.fixture(scope="module")
def client() -> Caller:
    return Caller(application(recipe().fit(small_past()).outlook_))


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", ["index.html", "docs.html"])
def test_every_file_that_a_page_names_is_served_from_here(client: Caller, name: str) -> None:
    page = client.get("/" if name == "index.html" else "/docs")
    assert page.text == (PAGE / name).read_text(encoding="utf-8")
    named = [attributes.get("src") or attributes.get("href") for _, attributes in Elements(page.text).found]
    files = [file for file in named if file]
    assert files
    for file in files:
        assert "//" not in file
        assert client.get(f"/{file}").status_code == 200


def test_no_page_asks_another_machine_and_the_browser_is_told_so(client: Caller) -> None:
    for path in PAGE.iterdir():
        outside = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", path.read_text(encoding="utf-8"))
        assert [address for address in outside if "www.w3.org" not in address] == [], path.name  # names of SVG's own language
    for address in ("/", "/docs", "/app.js", "/choices"):
        policy = client.get(address).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "connect-src 'self'" in policy


def test_every_field_of_the_form_has_a_label_and_is_a_field_of_the_request() -> None:
    elements = Elements((PAGE / "index.html").read_text(encoding="utf-8")).found
    labelled = {attributes["for"] for tag, attributes in elements if tag == "label"}
    fields = {attributes["id"]: attributes["name"] for tag, attributes in elements if tag in ("input", "select")}
    assert set(fields) == labelled
    assert set(fields.values()) <= set(PlannedPromotion.model_fields)
    assert {"sku", "mechanic", "discount_share", "starts_on", "ends_on", "channel", "region", "display", "investment"} <= set(
        fields.values()
    )


def test_both_languages_have_the_same_words_and_those_that_the_page_asks_for() -> None:
    text, _ = (PAGE / "words.js").read_text(encoding="utf-8").split("\n};\n", 1)
    portuguese, english = (set(re.findall(r"(\w+): (?=\"|\()", part)) for part in re.split(r"^  en: \{", text, flags=re.M))
    assert portuguese == english
    asked = re.findall(r'data-word="(\w+)"', (PAGE / "index.html").read_text(encoding="utf-8"))
    asked += re.findall(r"\bsay\.(\w+)", (PAGE / "app.js").read_text(encoding="utf-8"))
    assert asked
    assert set(asked) <= english


def test_choices_are_what_the_outlook_can_answer(client: Caller) -> None:
    told = client.get("/choices").json()
    assert [sku["sku"] for sku in told["skus"]] == ["S5", "S4", "S3", "S2", "S1", "S0"]  # those that sell most come first
    assert (told["first_day"], told["last_day"]) == ("2025-06-05", "2025-06-25")
    assert (told["channels"], told["all_regions"]) == (["loja", "online"], ["Norte", "Sul"])
    assert told["regions"] == {"loja": ["Sul"], "online": ["Norte"]}
    assert told["categories"]["fones"] == [{"mechanic": "percentual", "display": False, "depth_from": 0.1, "depth_to": 0.3}]
    found = client.get("/choices?sku=s3").json()
    assert [sku["sku"] for sku in found["skus"]] == ["S3"]
    assert (found["found"], found["all"]) == (1, 6)


def test_a_whole_name_is_found_however_many_names_hold_it() -> None:
    named = [*(f"S1{number:03d}" for number in range(MOST_SKUS + 9)), "S1"]
    told = Choices({}, [{"sku": sku, "searched": sku.lower()} for sku in named]).matching(" s1 ")
    assert [sku["sku"] for sku in told["skus"]] == ["S1", *named[: MOST_SKUS - 1]]
    assert told["found"] == len(named)


def test_a_sku_whose_category_never_had_a_promotion_may_be_chosen_but_is_no_example() -> None:
    outlook = recipe().fit(small_past()).outlook_
    choices = Choices.of(replace(outlook, response=outlook.response[outlook.response["category"] == "mouses"]))
    assert [sku["category"] for sku in choices.skus][:2] == ["fones", "mouses"]
    assert choices.sample is not None
    assert (choices.sample[0]["sku"], choices.sample[1]["mechanic"]) == ("S4", "percentual")
    assert Choices.of(replace(outlook, response=outlook.response.iloc[:0])).sample is None


def test_the_description_tells_every_field_and_its_example_can_be_asked(client: Caller) -> None:
    told = client.get("/openapi.json").json()
    fields = told["components"]["schemas"]["PlannedPromotion"]["properties"]
    assert {name: field["description"] for name, field in fields.items()} == {name: EXPECTED[name] for name in fields}
    assert set(EXPECTED) == set(PlannedPromotion.model_fields) | set(Question.model_fields)
    content = told["paths"]["/invocations"]["post"]["requestBody"]["content"]
    answer = client.post("/invocations", json=content["application/json"]["example"])
    assert answer.status_code == 200
    assert set(answer.json()) == set(told["components"]["schemas"]["Answer"]["properties"])
    table = client.post("/invocations", content=content["text/csv"]["example"], headers={"Content-Type": "text/csv"})
    assert table.json()["promotions"] == answer.json()["promotions"]


def test_the_example_of_a_table_is_one_whatever_the_sku_is_called() -> None:
    outlook = recipe().fit(small_past()).outlook_
    for name in ("members", "prices"):
        frame = getattr(outlook, name)
        outlook = replace(outlook, **{name: frame.assign(sku=frame["sku"].astype(object) + ' 1,5 m "HDMI"')})
    client = Caller(application(outlook))
    content = client.get("/openapi.json").json()["paths"]["/invocations"]["post"]["requestBody"]["content"]
    table = client.post("/invocations", content=content["text/csv"]["example"], headers={"Content-Type": "text/csv"})
    answer = client.post("/invocations", json=content["application/json"]["example"])
    assert table.status_code == 200
    assert table.json()["promotions"] == answer.json()["promotions"]


def test_every_reference_of_the_description_leads_somewhere(client: Caller) -> None:
    told = client.get("/openapi.json").json()

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            return [node["$ref"]] if "$ref" in node else [one for value in node.values() for one in references(value)]
        return [one for value in node for one in references(value)] if isinstance(node, list) else []

    found = references(told)
    assert found
    assert {reference.removeprefix("#/components/schemas/") for reference in found} <= set(told["components"]["schemas"])


def frames(**changed: Any) -> Any:
    """What the choices of an outlook are made of: two series of two channels, of which one stands for three SKUs."""
    tables = {
        "response": [
            {"category": "Mice", "mechanic": "coupon", "display": False, "promotions": 2, "depth_from": 0.1, "depth_to": 0.2},
            {"category": "Mice", "mechanic": "percent", "display": True, "promotions": 5, "depth_from": 0.15, "depth_to": 0.25},
            {"category": "Mice", "mechanic": "percent", "display": True, "promotions": 4, "depth_from": 0.05, "depth_to": 0.2},
            {"category": "Mice", "mechanic": "percent", "display": False, "promotions": 5, "depth_from": 0.3, "depth_to": 0.36},
            {"category": "Toys", "mechanic": "coupon", "display": False, "promotions": 9, "depth_from": 0.5, "depth_to": 0.5},
        ],
        "members": [
            {"series": "S1", "channel": "web", "sku": "M1", "share": 1.0},
            {"series": "rest", "channel": "web", "sku": "M2", "share": 0.25},
            {"series": "rest", "channel": "shop", "sku": "M2", "share": 0.5},
            {"series": "rest", "channel": "web", "sku": "L1", "share": 0.75},
            {"series": "unknown", "channel": "web", "sku": "M3", "share": 1.0},
        ],
        "baseline": [
            {"sku": "S1", "channel": "web", "baseline_units": 6.0},
            {"sku": "S1", "channel": "web", "baseline_units": 4.5},
            {"sku": "rest", "channel": "web", "baseline_units": 20.0},
            {"sku": "rest", "channel": "shop", "baseline_units": 11.0},
        ],
        "prices": [
            {"sku": "M1", "channel": "web", "category": "Mice", "brand": "Acme", "list_price": 10.0},
            {"sku": "M2", "channel": "shop", "category": "Mice", "brand": "Bolt", "list_price": None},
            {"sku": "M2", "channel": "web", "category": "Mice", "brand": "Bolt", "list_price": 12.0},
            {"sku": "L1", "channel": "web", "category": "Lamps", "brand": "Acme", "list_price": 30.0},
            {"sku": "M3", "channel": "web", "category": "Mice", "brand": "m1", "list_price": 7.0},
            {"sku": "gone", "channel": "web", "category": "Mice", "brand": "Acme", "list_price": 1.0},
        ],
        "regions": [
            {"channel": "web", "region": "Sul", "share": 0.5},
            {"channel": "web", "region": "Norte", "share": 0.5},
            {"channel": "shop", "region": "Norte", "share": 1.0},
            {"channel": "shop", "region": "Sul", "share": 0.0},
        ],
    }
    made = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    return SimpleNamespace(**(made | {"origin": pd.Timestamp("2026-02-28"), "horizon": 5, "currency": "BRL"} | changed))


def test_the_choices_of_an_outlook_are_those_that_sell_most_and_what_their_categories_tried_most_comes_first() -> None:
    choices = Choices.of(frames())
    assert {name: told for name, told in choices.about.items() if name != "categories"} == {
        "origin": "2026-02-28",
        "first_day": "2026-03-01",
        "last_day": "2026-03-05",
        "currency": "BRL",
        "channels": ["shop", "web"],
        "all_regions": ["Norte", "Sul"],
        "regions": {"shop": ["Norte"], "web": ["Norte", "Sul"]},
    }
    assert choices.about["categories"] == {
        "Toys": [{"mechanic": "coupon", "display": False, "depth_from": 0.5, "depth_to": 0.5}],
        "Mice": [
            {"mechanic": "percent", "display": False, "depth_from": 0.3, "depth_to": 0.36},
            {"mechanic": "percent", "display": True, "depth_from": 0.05, "depth_to": 0.25},
            {"mechanic": "coupon", "display": False, "depth_from": 0.1, "depth_to": 0.2},
        ],
    }
    # L1 sells 0.75 of 20, M1 6 and 4.5, M2 0.25 of 20 and half of 11: as many, so by name.
    assert [(sku["sku"], sku["list_price"]) for sku in choices.skus] == [("L1", 30.0), ("M1", 10.0), ("M2", None), ("M3", 7.0)]
    assert choices.sample is not None
    assert choices.sample[0]["sku"] == "M1"
    promotions = [
        {
            "promotion_id": "sample",
            "sku": "M1",
            "mechanic": "percent",
            "discount_share": 0.33,
            "starts_on": "2026-03-01",
            "ends_on": "2026-03-05",
            "display": False,
        }
    ]
    assert sample_question(frames()) == {"promotions": promotions}
    shorter = sample_question(frames(), days=3)
    assert shorter is not None
    assert shorter["promotions"][0]["ends_on"] == "2026-03-03"
    none = frames(response=frames().response.iloc[:0])
    assert (Choices.of(none).skus, sample_question(none)) == ([], None)


def test_skus_are_found_by_a_part_of_their_name_category_or_brand_a_whole_name_first_and_a_hundred_at_most() -> None:
    choices = Choices.of(frames())
    found = {text: [sku["sku"] for sku in choices.matching(text)["skus"]] for text in ("", " ACME ", "mice", "m1", "M3", "none")}
    assert found == {
        "": ["L1", "M1", "M2", "M3"],
        " ACME ": ["L1", "M1"],
        "mice": ["M1", "M2", "M3"],
        "m1": ["M1", "M3"],
        "M3": ["M3"],
        "none": [],
    }
    told = choices.matching("acme")
    assert (told["found"], told["all"], told["currency"]) == (2, 4, "BRL")
    assert told["skus"][0] == {"sku": "L1", "category": "Lamps", "brand": "Acme", "list_price": 30.0}
    many = Choices(choices.about, [choices.skus[0] | {"sku": f"L{number}"} for number in range(101)])
    assert [(len(told["skus"]), told["found"], told["all"]) for told in (many.matching(""), many.matching("lamps"))] == [
        (100, 101, 101)
    ] * 2
