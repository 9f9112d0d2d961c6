"""What the template of the dashboards promises: it is current, each API takes what it says, and who sees what."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
import yaml
from botocore.validate import ParamValidator
from tests.dashboards.quicksight.invented import answered
from tests.dashboards.quicksight.test_checks import EVERY_KIND
from tests.infra.packaging import TEMPLATES
from tests.infra.packaging import template as read
from tests.support.nights import REPOSITORY

from sales_tech.dashboards.quicksight.access import OWNER
from sales_tech.dashboards.quicksight.checks import faults
from sales_tech.dashboards.quicksight.controls import Controls
from sales_tech.dashboards.quicksight.fields import Fields
from sales_tech.dashboards.quicksight.template import HEADER, template, text
from sales_tech.dashboards.reading import load_dashboard, load_dashboards
from sales_tech.dashboards.specification import Dashboard, Period
from sales_tech.dashboards.visuals import Table, Words

GENERATED = template(load_dashboards(REPOSITORY / "dashboards"))
CREATES = {
    "AWS::QuickSight::DataSource": "CreateDataSource",
    "AWS::QuickSight::DataSet": "CreateDataSet",
    "AWS::QuickSight::RefreshSchedule": "CreateRefreshSchedule",
    "AWS::QuickSight::Theme": "CreateTheme",
    "AWS::QuickSight::Analysis": "CreateAnalysis",
    "AWS::QuickSight::Dashboard": "CreateDashboard",
}


def resolved(node: Any) -> Any:
    """A part of a template as CloudFormation hands it on, with made-up values for what it refers to."""
    if isinstance(node, dict):
        if node == {"Ref": "RefreshTime"}:
            return "07:30"
        if "Fn::If" in node:
            return resolved(node["Fn::If"][1])
        if "Fn::Sub" in node:
            return re.sub(r"\$\{[^}]+\}", "x", node["Fn::Sub"])
        if node.keys() & {"Ref", "Fn::GetAtt"}:
            return "123456789012" if node == {"Ref": "AWS::AccountId"} else "arn:x:quicksight:::x"
        return {("Timezone" if key == "TimeZone" else key): resolved(value) for key, value in node.items()}
    return [resolved(each) for each in node] if isinstance(node, list) else node


def refused(made: dict[str, Any]) -> list[str]:
    """What the APIs would refuse of a template's resources, as botocore knows them."""
    model = boto3.client("quicksight", region_name="sa-east-1").meta.service_model
    found = []
    for name, resource in made["Resources"].items():
        if resource["Type"] in CREATES:
            # How long CloudFormation waits is its own business, and no API's.
            given = {key: value for key, value in resource["Properties"].items() if key != "IngestionWaitPolicy"}
            report = ParamValidator().validate(resolved(given), model.operation_model(CREATES[resource["Type"]]).input_shape)
            found += [f"{name}: {line}" for line in report.generate_report().splitlines()]
    return found


def test_the_committed_template_is_current() -> None:
    committed = (TEMPLATES / "dashboards.yaml").read_text(encoding="utf-8")
    assert committed == text(GENERATED), "dashboards/ or the generator changed; run `make dashboards`"


def test_what_is_written_is_what_was_generated() -> None:
    assert read("dashboards") == GENERATED


def test_another_process_writes_the_same_template() -> None:
    command = [sys.executable, "-m", "sales_tech.dashboards.quicksight", str(Path(__file__).parent / "specifications")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == text(template([EVERY_KIND]))
    assert done.stdout.startswith(HEADER)


@pytest.mark.parametrize("made", [GENERATED, template([EVERY_KIND], "en")], ids=["dashboards", "every_kind"])
def test_the_apis_take_what_the_template_says(made: dict[str, Any]) -> None:
    assert refused(made) == []
    assert {each["Type"] for each in made["Resources"].values()} >= CREATES.keys()


def test_a_key_that_an_api_does_not_know_is_refused() -> None:
    made = copy.deepcopy(template([EVERY_KIND]))
    (dashboard,) = (each for each in made["Resources"].values() if each["Type"] == "AWS::QuickSight::Dashboard")
    dashboard["Properties"]["Definition"]["Sheets"][0]["Visuals"][0]["KPIVisual"]["Titel"] = {}
    assert any("Titel" in line for line in refused(made))


def test_every_specification_has_an_analysis_and_a_dashboard_of_the_same_definition() -> None:
    for kind in ("Analysis", "Dashboard"):
        names = [name for name, each in GENERATED["Resources"].items() if each["Type"] == f"AWS::QuickSight::{kind}"]
        assert len(names) == len([*(REPOSITORY / "dashboards").glob("*.yaml")])
        for name in names:
            twin = GENERATED["Resources"][name.replace(kind, "Analysis", 1)]
            assert GENERATED["Resources"][name]["Properties"]["Definition"] == twin["Properties"]["Definition"]


def test_no_id_of_a_resource_is_there_twice() -> None:
    ids = [
        (each["Type"], str(each["Properties"][key]))
        for each in GENERATED["Resources"].values()
        for key in ("DataSetId", "DataSourceId", "ThemeId", "AnalysisId", "DashboardId")
        if key in each["Properties"]
    ]
    schedules = [each for each in ids if each[0] == "AWS::QuickSight::RefreshSchedule"]
    assert len(set(ids)) == len(ids)
    assert len(schedules) == len([each for each in ids if each[0] == "AWS::QuickSight::DataSet"])


def test_readers_see_their_regions_wherever_there_is_a_region() -> None:
    open_to_all = []
    for each in GENERATED["Resources"].values():
        if each["Type"] == "AWS::QuickSight::DataSet" and each["Properties"]["DataSetId"] != {"Fn::Sub": "${Name}-access"}:
            (physical,) = each["Properties"]["PhysicalTableMap"].values()
            (body,) = physical.values()
            columns = [column["Name"] for column in body.get("Columns") or body["InputColumns"]]
            rules = each["Properties"].get("RowLevelPermissionDataSet")
            assert ("region" in columns) == (rules is not None), each["Properties"]["Name"]
            if rules is None:
                open_to_all.append(each["Properties"]["Name"]["Fn::Sub"])
            else:
                condition, switched_on, switched_off = rules["Fn::If"]
                assert (condition, switched_off) == ("Restricted", {"Ref": "AWS::NoValue"})
                assert switched_on["Arn"] == {"Fn::GetAtt": ["Rules", "Arn"]}
    told = GENERATED["Outputs"]["WithoutRegion"]["Value"].split(", ")
    assert len(told) == len(open_to_all)


def test_the_rules_of_access_have_the_names_that_quicksight_looks_for() -> None:
    (logical,) = GENERATED["Resources"]["Rules"]["Properties"]["LogicalTableMap"].values()
    renamed = {each["RenameColumnOperation"]["NewColumnName"] for each in logical["DataTransforms"]}
    assert renamed == {"UserName", "GroupName"}


def test_a_deploy_waits_for_no_data_that_a_night_has_yet_to_make() -> None:
    # AWS::QuickSight::DataSet IngestionWaitPolicy: by default a data set is made only once its first load has succeeded.
    made = [each["Properties"] for each in GENERATED["Resources"].values() if each["Type"] == "AWS::QuickSight::DataSet"]
    waits = [each.get("IngestionWaitPolicy") for each in made]
    assert waits == [{"WaitForSpiceIngestion": False}] * len(waits)
    assert len(waits) > 20


def test_who_has_no_region_in_the_rules_sees_all_of_them() -> None:
    (physical,) = GENERATED["Resources"]["Rules"]["Properties"]["PhysicalTableMap"].values()
    connection = duckdb.connect()
    connection.execute("create schema access; create table access.dashboard_access (username varchar, groupname varchar, region varchar)")
    connection.execute("insert into access.dashboard_access values ('ana', '', ''), ('', 'sul', 'Sul')")
    sql = physical["CustomSql"]["SqlQuery"]["Fn::Sub"].replace("${Access}", "access")
    assert answered(connection, sql) == [("ana", None, None), (None, "sul", "Sul")]


def test_quicksight_reads_the_tables_of_its_data_sets_and_no_others() -> None:
    statements = GENERATED["Resources"]["QuickSightRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    read_from = {match for each in statements for match in re.findall(r"lake/tables/(\w+/\w+)/\*", str(each))}
    used = set()
    for each in GENERATED["Resources"].values():
        if each["Type"] == "AWS::QuickSight::DataSet":
            for physical in each["Properties"]["PhysicalTableMap"].values():
                (body,) = physical.values()
                if "SqlQuery" in body:
                    used |= {"/".join(found) for found in re.findall(r"\$\{DatabasePrefix\}(\w+)\.(\w+)", body["SqlQuery"]["Fn::Sub"])}
                else:
                    used.add(f"gold/{body['Name']}")
    assert read_from == used
    assert not any(name.startswith("bronze") for name in used)


def test_a_new_visual_needs_no_python(tmp_path: Path) -> None:
    path = tmp_path / "every_kind.yaml"
    written = yaml.safe_load((Path(__file__).parent / "specifications" / "every_kind.yaml").read_text(encoding="utf-8"))
    words = {"en": "New", "pt": "Novo"}
    place = {"column": 0, "row": 30, "width": 4, "height": 3}
    written["sheets"][0]["visuals"].append(
        {"name": "new", "title": words, "kind": "bar", "data": "days", "category": "store", "value": "units", "at": place}
    )
    path.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    made = template([load_dashboard(path)])
    assert refused(made) == []
    assert "PlainText: Novo" in text(made)


def of_units(folder: Path, *measures: str, rules: str = "[]") -> dict[str, Any]:
    """The template of one table of measures of the products, each given as YAML under its own name."""
    names = [measure.partition(":")[0] for measure in measures]
    path = folder / "units.yaml"
    path.write_text(
        "title: {en: Units, pt: Unidades}\nabout: {en: Units, pt: Unidades}\n"
        "data:\n  products:\n    table: gold.product_performance\n    dimensions: {sku: {en: SKU, pt: SKU}}\n    measures:\n"
        + "".join(f"      {measure}\n" for measure in measures)
        + "sheets:\n  - name: first\n    title: {en: First, pt: Primeira}\n    visuals:\n      - {name: best, kind: table, data: products, "
        f"title: {{en: Best, pt: Melhores}}, rows: [sku], values: [{', '.join(names)}], rules: {rules}, "
        "at: {column: 0, row: 0, width: 4, height: 4}}\n",
        encoding="utf-8",
    )
    return template([load_dashboard(path)], "en")


def test_a_measure_may_be_named_as_a_column_of_its_table(tmp_path: Path) -> None:
    made = of_units(tmp_path, "sold: {label: {en: Units, pt: Unidades}, sum: units}")
    assert faults(made) == []
    assert "Name: Units 2, Expression: '{units}'" in text(made)


def test_two_measures_whose_names_differ_in_capitals_alone_are_two_fields(tmp_path: Path) -> None:
    made = of_units(
        tmp_path, "sold: {label: {en: Sum, pt: Soma}, sum: units}", "earned: {label: {en: SUM, pt: SOMA}, sum: net_sales, format: money}"
    )
    assert faults(made) == []
    assert "Name: Sum, Expression: '{units}'" in text(made)
    assert "Name: SUM 2, Expression: '{net_sales}'" in text(made)


def test_a_bound_is_written_without_an_exponent(tmp_path: Path) -> None:
    rules = "[{value: sold, below: 0.00001, tone: bad}, {value: sold, above: 1.0e+20, tone: good}]"
    made = text(of_units(tmp_path, "sold: {label: {en: Sum, pt: Soma}, sum: units}", rules=rules))
    assert "'SUM({Sum}) < 0.00001'" in made
    assert "'SUM({Sum}) > 100000000000000000000'" in made


def test_a_table_that_is_cut_says_how_many_rows_its_first_page_has() -> None:
    (best,) = (visual for visual in EVERY_KIND.visuals if isinstance(visual, Table))
    assert f"PlainText: A primeira página traz os {best.top} maiores." in text(template([EVERY_KIND]))


def test_a_range_is_drawn_as_lines_and_said_to_be() -> None:
    made = text(template([EVERY_KIND], "en"))
    assert "PlainText: Days to come. An estimate. The range is drawn as two dotted lines." in made
    assert made.count("LineStyle: DOTTED") == 4, "two lines, in the analysis and in the dashboard"


def test_every_kind_of_object_that_has_permissions_gets_them() -> None:
    for each in GENERATED["Resources"].values():
        if each["Type"] in OWNER:
            assert each["Properties"]["Permissions"][0]["Principal"] == {"Ref": "OwnerArn"}


@pytest.mark.parametrize(("months", "first"), [(1, "this"), (2, "addDateTime(-1, 'MM', this)"), (12, "addDateTime(-11, 'MM', this)")])
def test_the_period_is_at_first_the_latest_months_and_this_one_the_last_of_them(months: int, first: str) -> None:
    period = Period(label=Words(en="Months", pt="Meses"), months=months)
    controls = Controls(Fields(EVERY_KIND.model_copy(update={"filters": [], "period": period}), "en"), [])
    bodies = [made["DateTimeParameterDeclaration"] for made in controls.declarations()]
    this = "truncDate('MM', addDateTime(-1, 'DD', now()))"
    assert {body["Name"]: body["DefaultValues"]["RollingDate"]["Expression"] for body in bodies} == {
        "FirstMonth": first.replace("this", this),
        "LastMonth": this,
    }


@pytest.mark.parametrize("compare", [True, False])
def test_a_figure_that_holds_two_periods_in_itself_is_filtered_by_none(compare: bool) -> None:
    words = {"en": "Units", "pt": "Unidades"}
    kpi = {"name": "units", "kind": "kpi", "title": words, "data": "sales", "value": "sold", "compare": compare}
    measures = {"sold": {"label": words, "sum": "units"}}
    made = Dashboard.model_validate({
        "name": "units", "title": words, "about": words, "period": {"label": words},
        "data": {"sales": {"table": "gold.daily_sales", "period": "sold_on", "measures": measures}},
        "sheets": [{"name": "first", "title": words, "visuals": [{**kpi, "at": {"column": 0, "row": 0, "width": 3, "height": 2}}]}],
    })  # fmt: skip
    whole = template([made])
    (shown,) = (each for each in whole["Resources"].values() if each["Type"] == "AWS::QuickSight::Dashboard")
    assert len(shown["Properties"]["Definition"]["FilterGroups"]) == (0 if compare else 1)
    assert faults(whole) == []
