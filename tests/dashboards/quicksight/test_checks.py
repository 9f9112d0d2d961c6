"""Faults that no schema sees, each planted in the generated template and told with its place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.nights import REPOSITORY

from sales_tech.dashboards.quicksight import expressions
from sales_tech.dashboards.quicksight.checks import faults
from sales_tech.dashboards.quicksight.template import template
from sales_tech.dashboards.reading import load_dashboard, load_dashboards

EVERY_KIND = load_dashboard(Path(__file__).parent / "specifications" / "every_kind.yaml")
Made = dict[str, Any]


class Planted:
    """The template of all kinds of visuals, to be spoilt."""

    def __init__(self) -> None:
        self.template = copy.deepcopy(template([EVERY_KIND]))
        self.dashboard = self.of_type("Dashboard")
        self.definition = self.dashboard["Properties"]["Definition"]

    def of_type(self, kind: str, name: str = "") -> Made:
        found = [each for key, each in self.template["Resources"].items() if each["Type"] == f"AWS::QuickSight::{kind}" and name in key]
        return found[0]

    def visual(self, name: str) -> Made:
        """A visual by its name, as its kind and body."""
        return next(visual for visual in self.visuals() if next(iter(visual.values()))["VisualId"].startswith(f"{name}-"))

    def visuals(self) -> Iterator[Made]:
        for sheet in self.definition["Sheets"]:
            yield from sheet["Visuals"]

    def chart(self, name: str) -> Made:
        (body,) = self.visual(name).values()
        return body["ChartConfiguration"]

    def wells(self, name: str) -> Made:
        (wells,) = self.chart(name)["FieldWells"].values()
        return wells

    def calculated(self, name: str) -> Made:
        return next(each for each in self.definition["CalculatedFields"] if each["Name"] == name)

    def filter(self, start: str) -> Made:
        return next(each for each in self.definition["FilterGroups"] if each["FilterGroupId"].startswith(start))


def unknown_column(planted: Planted) -> None:
    planted.wells("states")["Category"][0]["CategoricalDimensionField"]["Column"]["ColumnName"] = "estado"


def undeclared_data_set(planted: Planted) -> None:
    planted.wells("states")["Category"][0]["CategoricalDimensionField"]["Column"]["DataSetIdentifier"] = "nights"


def data_set_of_no_resource(planted: Planted) -> None:
    planted.definition["DataSetIdentifierDeclarations"][0]["DataSetArn"] = {"Fn::GetAtt": ["Nowhere", "Arn"]}


def layout_of_nothing(planted: Planted) -> None:
    planted.definition["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"][2]["ElementId"] = "gone"


def layout_past_the_edge(planted: Planted) -> None:
    planted.definition["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"][3]["ColumnIndex"] = 30


def visuals_on_each_other(planted: Planted) -> None:
    planted.definition["Sheets"][0]["Layouts"][0]["Configuration"]["GridLayout"]["Elements"][1]["ColumnIndex"] = 0


def filter_of_no_sheet(planted: Planted) -> None:
    planted.filter("channel")["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"][0]["SheetId"] = "gone"


def filter_of_no_visual(planted: Planted) -> None:
    planted.filter("sold-on")["ScopeConfiguration"]["SelectedSheets"]["SheetVisualScopingConfigurations"][0]["VisualIds"][0] = "gone"


def two_kinds(planted: Planted) -> None:
    planted.visual("heat")["BarChartVisual"] = planted.visual("states")["BarChartVisual"]


def field_that_is_not_there(planted: Planted) -> None:
    planted.calculated("Margem percentual")["Expression"] = "ifelse(sum({net_sales}) <> 0, sum({profit}) / sum({net_sales}), NULL)"


def bracket_that_does_not_close(planted: Planted) -> None:
    planted.calculated("Margem percentual")["Expression"] = "ifelse(sum({net_sales}) <> 0, sum({margin}) / sum({net_sales}, NULL)"


def brace_that_does_not_close(planted: Planted) -> None:
    planted.calculated("Receita")["Expression"] = "{net_sales"


def function_of_another_dialect(planted: Planted) -> None:
    planted.calculated("Margem percentual")["Expression"] = "coalesce(sum({margin}) / sum({net_sales}), 0)"


def date_as_a_category(planted: Planted) -> None:
    planted.wells("states")["Category"][0]["CategoricalDimensionField"]["Column"]["ColumnName"] = "sold_on"


def measure_over_text(planted: Planted) -> None:
    planted.wells("states")["Values"][0]["NumericalMeasureField"]["Column"]["ColumnName"] = "store"


def sum_of_text(planted: Planted) -> None:
    planted.calculated("Margem percentual")["Expression"] = "ifelse(sum({net_sales}) <> 0, sum({store}) / sum({net_sales}), NULL)"


def sum_of_a_sum(planted: Planted) -> None:
    field = planted.wells("by-channel")["Values"][0]["NumericalMeasureField"]
    field["AggregationFunction"] = {"SimpleNumericalAggregation": "SUM"}


def visual_id_twice(planted: Planted) -> None:
    planted.visual("heat")["HeatMapVisual"]["VisualId"] = planted.visual("states")["BarChartVisual"]["VisualId"]


def field_id_twice(planted: Planted) -> None:
    bars = planted.wells("both")["BarValues"]
    bars[1]["NumericalMeasureField"]["FieldId"] = bars[0]["NumericalMeasureField"]["FieldId"]


def filter_id_twice(planted: Planted) -> None:
    groups = planted.definition["FilterGroups"]
    groups[1]["FilterGroupId"] = groups[0]["FilterGroupId"]


def calculated_field_twice(planted: Planted) -> None:
    planted.definition["CalculatedFields"].append({**planted.calculated("Receita"), "Expression": "{margin}"})


def colors_and_values(planted: Planted) -> None:
    wells = planted.wells("by-week")
    wells["Colors"] = [{"CategoricalDimensionField": {"FieldId": "new", "Column": {"DataSetIdentifier": "days", "ColumnName": "channel"}}}]


def partial_options(planted: Planted) -> None:
    del planted.chart("sales")["KPIOptions"]["TrendArrows"]


def filter_without_control(planted: Planted) -> None:
    for sheet in planted.definition["Sheets"]:
        sheet["ParameterControls"] = [
            each for each in sheet["ParameterControls"] if next(iter(each.values()))["SourceParameterName"] != "Channel"
        ]


def filter_without_control_on_a_sheet(planted: Planted) -> None:
    sheet = planted.definition["Sheets"][1]
    sheet["ParameterControls"] = [each for each in sheet["ParameterControls"] if "Category" not in str(each)]


def filter_of_no_parameter(planted: Planted) -> None:
    planted.definition["ParameterDeclarations"] = planted.definition["ParameterDeclarations"][1:]


def filter_by_a_parameter_and_by_all(planted: Planted) -> None:
    (one,) = planted.filter("channel-")["Filters"]
    one["CategoryFilter"]["Configuration"]["CustomFilterConfiguration"]["SelectAllOptions"] = "FILTER_ALL_VALUES"


def control_that_lists_nothing(planted: Planted) -> None:
    controls = planted.definition["Sheets"][0]["ParameterControls"]
    controls[2]["Dropdown"]["SelectableValues"]["LinkToDataSetColumn"]["ColumnName"] = "fonte"


def missing_action(planted: Planted) -> None:
    planted.dashboard["Properties"]["Permissions"][0]["Actions"].remove("quicksight:QueryDashboard")


def missing_action_of_readers(planted: Planted) -> None:
    planted.dashboard["Properties"]["Permissions"][1]["Fn::If"][1]["Actions"].remove("quicksight:QueryDashboard")


def no_permissions(planted: Planted) -> None:
    del planted.of_type("Theme")["Properties"]["Permissions"]


def region_for_everybody(planted: Planted) -> None:
    del planted.of_type("DataSet", "DataDays")["Properties"]["RowLevelPermissionDataSet"]


def column_that_is_not_selected(planted: Planted) -> None:
    (physical,) = planted.of_type("DataSet", "DataDays")["Properties"]["PhysicalTableMap"].values()
    physical["CustomSql"]["Columns"].append({"Name": "profit", "Type": "DECIMAL"})


def never_refreshed(planted: Planted) -> None:
    planted.template["Resources"] = {key: each for key, each in planted.template["Resources"].items() if not key.startswith("RefreshDaysd")}


def order_by_another_visual(planted: Planted) -> None:
    planted.chart("states")["SortConfiguration"]["CategorySort"][0]["FieldSort"]["FieldId"] = "gone"


def rule_of_another_field(planted: Planted) -> None:
    cell = planted.visual("best")["TableVisual"]["ConditionalFormatting"]["ConditionalFormattingOptions"][0]["Cell"]
    cell["TextFormat"]["TextColor"]["Solid"]["Expression"] = "SUM({profit}) < 0"


PLANTED: list[tuple[Callable[[Planted], None], tuple[str, ...]]] = [
    (unknown_column, ("Sheets[sales-", "Visuals[states-", "no column estado in data set days")),
    (undeclared_data_set, ("Visuals[states-", "data set nights is not declared", "one of days, products")),
    (data_set_of_no_resource, ("data set days", "no data set of the template")),
    (layout_of_nothing, ("sheet sales-", "element gone is not on the sheet")),
    (layout_past_the_edge, ("sheet sales-", "all-products-", "ends at column 39", "36 or less")),
    (visuals_on_each_other, ("margin-share-", "stands on sales-", "row 0, column 0")),
    (filter_of_no_sheet, ("filter group channel-", "no sheet gone")),
    (filter_of_no_visual, ("filter group sold-on-", "no visual gone on sheet sales-")),
    (two_kinds, ("sheet sales-", "HeatMapVisual and BarChartVisual", "expected one")),
    (field_that_is_not_there, ("calculated field Margem percentual of days", "no field {profit}")),
    (bracket_that_does_not_close, ("calculated field Margem percentual of days", "brackets that do not close")),
    (brace_that_does_not_close, ("calculated field Receita of days", "a stray {")),
    (function_of_another_dialect, ("calculated field Margem percentual of days", "no function coalesce")),
    (date_as_a_category, ("visual states-", "the date sold_on as a category")),
    (measure_over_text, ("visual states-", "a measure over store, which is STRING")),
    (sum_of_text, ("calculated field Margem percentual of days", "a sum of {store}, which is STRING")),
    (sum_of_a_sum, ("visual by-channel-", "Margem percentual is summed twice")),
    (visual_id_twice, ("Visuals[states-", "VisualId states-", "2 times")),
    (field_id_twice, ("Visuals[both-", "FieldId sales-", "2 times")),
    (filter_id_twice, ("FilterGroups[source-", "FilterGroupId source-", "2 times")),
    (calculated_field_twice, ("calculated field receita of days", "2 times")),
    (colors_and_values, ("visual by-week-", "2 values with colors")),
    (partial_options, ("visual sales-", "KPIOptions without TrendArrows")),
    (filter_without_control, ("filter group channel-", "the parameter Channel, which has no control")),
    (filter_without_control_on_a_sheet, ("filter group category-", "Category, which has no control on sheet products-")),
    (filter_of_no_parameter, ("filter group source-", "no parameter Source")),
    (filter_by_a_parameter_and_by_all, ("filter group channel-", "ParameterName and SelectAllOptions", "expected one")),
    (control_that_lists_nothing, ("Sheets[sales-", "ParameterControls[source-", "no column fonte")),
    (missing_action, ("DashboardEveryKind", "permissions without quicksight:QueryDashboard")),
    (missing_action_of_readers, ("DashboardEveryKind", "permissions without quicksight:QueryDashboard")),
    (no_permissions, ("Theme", "no permissions")),
    (region_for_everybody, ("DataDays", "a region without row-level security")),
    (column_that_is_not_selected, ("DataDays", "columns and SQL differ in profit")),
    (never_refreshed, ("DataDaysd", "no refresh schedule")),
    (order_by_another_visual, ("visual states-", "SortConfiguration", "no field gone")),
    (rule_of_another_field, ("visual best-", "no field {profit} in SUM({profit}) < 0")),
]


@pytest.mark.parametrize(("plant", "told"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_a_planted_fault_is_told_with_its_place(plant: Callable[[Planted], None], told: tuple[str, ...]) -> None:
    planted = Planted()
    plant(planted)
    found = faults(planted.template)
    assert any(all(part in fault for part in told) for fault in found), found


def test_too_many_rows_are_told() -> None:
    made = template([EVERY_KIND])
    (name,) = (each for each in made["Resources"] if each.startswith("DataProducts"))
    assert faults(made, {name: 50_000}) == []
    assert faults(made, {name: 50_001}) == [f"{name}: 50001 rows; expected at most 50000: let a view sum them up"]


def test_the_template_of_every_kind_has_no_fault() -> None:
    assert faults(template([EVERY_KIND])) == []


@pytest.mark.parametrize("language", ["pt", "en"])
def test_the_template_of_the_dashboards_has_no_fault(language: Any) -> None:
    assert faults(template(load_dashboards(REPOSITORY / "dashboards"), language)) == []


FIELDS = {"city": "STRING", "units": "INTEGER", "day": "DATETIME"}


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("{city}", "STRING"),
        ("{units}", "INTEGER"),
        ("{day}", "DATETIME"),
        ("{units} / 2", "DECIMAL"),
        ("'a, b'", "STRING"),
        ("3", "DECIMAL"),
        ("toString({units})", "STRING"),
        ("sum({units})", "DECIMAL"),
        ("ifelse(isNull({city}), '—', {city})", "STRING"),
        ("ifelse(sumIf({units}, {city} = 'x') <> 0, 1 / sum({units}), NULL)", "DECIMAL"),
        ("ifelse({units} > 0, {day}, {day})", "DATETIME"),
        ("ifelse({units} > 0, toString({units}), {city})", "STRING"),
        ("ifelse({units} > 0, switch({units}, 1, 'one', 'many'), 'none')", "STRING"),
        ("switch({city}, 'x', 1, 'y', 2, 3)", "DECIMAL"),
        ("switch({units}, 1, 'one', 2, 'two', 'many')", "STRING"),
        ("switch({city}, 'x', 'one')", "STRING"),
        ("switch(ifelse(isNull({city}), '—', {city}), 'x', 1, 2)", "DECIMAL"),
    ],
)
def test_an_expression_has_the_type_of_what_it_gives(expression: str, kind: str) -> None:
    assert expressions.faults(expression, FIELDS, frozenset()) == []
    assert expressions.type_of(expression, FIELDS) == kind


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("({units} + 1", ["brackets that do not close"]),
        ("{units} + 1)", ["a bracket too many"]),
        (") {units} (", ["a bracket too many"]),
        ("sum({city})", ["a sum of {city}, which is STRING"]),
        ("sumIf({day}, {units} > 0)", ["a sum of {day}, which is DATETIME"]),
        ("sumIf({units}, {city} = 'x')", []),
        ("units + 1", ["a word units that is neither field nor function"]),
        ("{units} > 1 AND {units} < 3 OR {units} = ${Wanted}", []),
        ("{units} = ${Unwanted}", ["no parameter Unwanted"]),
        ("{units} ; 1", ["a stray ;"]),
    ],
)
def test_what_is_wrong_with_an_expression_is_told_and_nothing_of_a_sound_one(expression: str, told: list[str]) -> None:
    assert expressions.faults(expression, FIELDS, frozenset(["Wanted"])) == told
