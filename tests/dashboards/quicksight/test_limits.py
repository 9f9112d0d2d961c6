"""A specification that QuickSight would refuse for a length or a number is refused before anything is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from sales_tech.dashboards.quicksight.__main__ import main
from sales_tech.dashboards.quicksight.limits import LISTS, LOWEST_ROW, NAMES, TEXTS, excesses
from sales_tech.dashboards.quicksight.template import template, text
from sales_tech.dashboards.specification import Dashboard
from sales_tech.errors import ContractError


def both(words: str) -> dict[str, str]:
    return {"en": words, "pt": words}


def visual(name: str = "best", *, row: int = 0, **given: Any) -> dict[str, Any]:
    plain = {"name": name, "kind": "table", "data": "products", "title": both("Best"), "rows": ["sku"], "values": ["sold"]}
    return {**plain, "at": {"column": 0, "row": row, "width": 1, "height": 1}, **given}


def sheet(name: str = "first", **given: Any) -> dict[str, Any]:
    return {"name": name, "title": both("First"), "visuals": [visual(f"best_{name}")], **given}


def data(label: str = "Sold", dimension: str = "SKU") -> dict[str, Any]:
    return {
        "table": "gold.product_performance",
        "dimensions": {"sku": both(dimension)},
        "measures": {"sold": {"label": both(label), "sum": "units"}},
    }


def dashboard(name: str = "units", **given: Any) -> Dashboard:
    plain = {"title": both("Units"), "about": both("Units"), "data": {"products": data()}, "sheets": [sheet()]}
    return Dashboard.model_validate({"name": name, **plain, **given})


def with_filter(label: str) -> Dashboard:
    return dashboard(filters=[{"column": "sku", "label": both(label)}])


def found(*dashboards: Dashboard) -> list[str]:
    return [what for what, _ in excesses(template([*dashboards], "en"))]


ADDED = ". The first page holds the 50 greatest."
CASES = {
    "the title of a visual": (512, lambda words: dashboard(sheets=[sheet(visuals=[visual(title=both(words))])])),
    "its subtitle": (1024, lambda words: dashboard(sheets=[sheet(visuals=[visual(note=both(words[: -len(ADDED)]))])])),
    "a measure": (127, lambda words: dashboard(data={"products": data(label=words)})),
    "a dimension": (2048, lambda words: dashboard(data={"products": data(dimension=words)})),
    "the title of a sheet": (2048, lambda words: dashboard(sheets=[sheet(title=both(words))])),
    "a filter": (2048, with_filter),
    "the title of a dashboard": (2048, lambda words: dashboard(title=both(words[len("x" * 20 + ": ") :]))),
    "the name of a data set": (128, lambda words: named(words[len("x" * 20 + ": units, ") :])),
}  # fmt: skip


def named(name: str) -> Dashboard:
    return dashboard(data={name: data()}, sheets=[sheet(visuals=[visual(data=name)])])


@pytest.mark.parametrize("what", CASES)
def test_a_text_is_as_long_as_quicksight_takes_it_and_no_longer(what: str) -> None:
    most, made = CASES[what]
    assert found(made("w" * most)) == []
    (told,) = found(made("w" * (most + 1)))
    assert f": {most + 1} characters, " in told
    assert "wwww..." in told


def test_sheets_visuals_and_data_sets_are_counted() -> None:
    sheets = [sheet(f"s{number}") for number in range(21)]
    assert found(dashboard(sheets=sheets[:20])) == []
    assert [each.rpartition(".")[2] for each in found(dashboard(sheets=sheets))] == ["Sheets: 21 of them"]
    visuals = [visual(f"v{number}", row=number) for number in range(51)]
    assert found(dashboard(sheets=[sheet(visuals=visuals[:50])])) == []
    assert [each.rpartition(".")[2] for each in found(dashboard(sheets=[sheet(visuals=visuals)]))] == ["Visuals: 51 of them"]
    sets = {f"d{number}": data() for number in range(51)}
    read = [visual(f"v{number}", row=number, data=f"d{number}") for number in range(51)]
    one = dashboard(data=sets, sheets=[sheet("one", visuals=read[:25]), sheet("two", visuals=read[25:])])
    assert [each.rpartition(".")[2] for each in found(one)] == ["DataSetIdentifierDeclarations: 51 of them"]


def test_no_visual_stands_lower_than_a_sheet_reaches() -> None:
    assert found(dashboard(sheets=[sheet(visuals=[visual(row=3003)])])) == []
    (told,) = found(dashboard(sheets=[sheet(visuals=[visual(row=3004)])]))
    assert told.endswith("RowIndex: row 9012")


def test_two_dashboards_are_two_in_quicksight() -> None:
    assert found(dashboard("sales_2026"), dashboard("sales_2027")) == []
    assert found(dashboard("sales_2026"), dashboard("Sales 2026")) == ["2 dashboards are sales-2026 in QuickSight"]
    assert found(dashboard("売上"), dashboard("在庫")) == ["2 dashboards are x in QuickSight"], "a name without letters that an id may have"


def test_the_limits_are_those_of_cloudformations_schema() -> None:
    kinds = {kind: PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema for kind in NAMES}
    shown, sets = (kinds[f"AWS::QuickSight::{kind}"]["definitions"] for kind in ("Dashboard", "DataSet"))
    assert {kind: schema["properties"]["Name"]["maxLength"] for kind, schema in kinds.items()} == NAMES
    texts = (
        (shown, "ShortFormatText", "PlainText"), (shown, "LongFormatText", "PlainText"), (shown, "CalculatedField", "Name"),
        (sets, "CalculatedColumn", "Expression"), (shown, "SheetDefinition", "Name"), (shown, "ParameterDropDownControl", "Title"),
        (shown, "ParameterDateTimePickerControl", "Title"), (shown, "TableFieldOption", "CustomLabel"),
    )  # fmt: skip
    assert [schema[part]["properties"][key]["maxLength"] for schema, part, key in texts] == [*TEXTS.values()]
    lists = [("SheetDefinition" if parent == "Sheets" else "DashboardVersionDefinition", key) for parent, key in LISTS]
    assert [shown[part]["properties"][key]["maxItems"] for part, key in lists] == [*LISTS.values()]
    assert shown["GridLayoutElement"]["properties"]["RowIndex"]["maximum"] == LOWEST_ROW


def test_all_that_is_too_much_is_told_at_once_in_words() -> None:
    made = template([dashboard(title=both("t" * 2027), data={"products": data(label="m" * 128)})], "en")
    with pytest.raises(ContractError) as caught:
        text(made)
    first, second = str(caught.value).splitlines()
    assert first.startswith("dashboards: DashboardUnits")
    assert first.endswith(f".Name: 2049 characters, {'t' * 40}...; expected at most 2048, which is what QuickSight takes")
    assert f".Definition.CalculatedFields[{'m' * 40}].Name: 128 characters, {'m' * 40}...; expected at most 127, which" in second


def test_the_program_tells_mistakes_in_a_line_and_writes_no_template(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 1
    (tmp_path / "sales.yaml").write_text("title: {en: Sales}\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    written, told = capsys.readouterr()
    none, wrong = told.splitlines()
    assert written == ""
    assert none == f"{tmp_path}: no dashboard; expected files such as sales.yaml in it"
    assert wrong.startswith(f"{tmp_path}/sales.yaml:1: ")
