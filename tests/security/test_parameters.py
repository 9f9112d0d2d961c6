"""Values that reach a notebook, a pack or the command line stay values."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.translators import PythonTranslator
from tests.support.command_line import call
from tests.support.exports import land_erp, land_reference, sale
from tests.support.nights import REPOSITORY, night, read, settings_in

from sales_tech.contracts.pack import load_packs
from sales_tech.errors import ContractError, SettingsError
from sales_tech.orchestration.notebooks import execute
from sales_tech.runs import Run
from sales_tech.settings import Settings

HOSTILE = [
    '"; import os; os.system("touch owned"); "',
    "'; import os; os.system('touch owned'); '",
    '"""\nimport os\nos.system("touch owned")\n"""',
    "\\",
    '\\"; open("owned", "w"); #',
    "\\\n",
    "a\nopen('owned', 'w')",
    "a\r\nb\u2028c\u0085d",
    "{__import__('os')}",
    "%(x)s {x} {{x}} $x ${x} `touch owned`",
    "!touch owned",
    "%sx touch owned",
    "# parameters\nowned = 1",
    "\u202e\u0000",
    "None",
    "__import__('os')",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def read_back(value: Any) -> Any:
    """A value as the notebook's injected cell has it, if that cell is one assignment of a literal to the name."""
    cell = PythonTranslator.codify({"lake": value}, "Parameters")
    (statement,) = ast.parse(cell).body
    assert isinstance(statement, ast.Assign)
    assert ast.unparse(statement.targets[0]) == "lake"
    return ast.literal_eval(statement.value)


@given(VALUES)
def test_a_parameter_is_written_as_a_literal_of_itself(value: Any) -> None:
    assert read_back(value) == value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_written_as_a_literal_of_itself(text: str) -> None:
    assert read_back(text) == text
    assert read_back([text]) == [text]


def notebook(folder: Path) -> Path:
    """A notebook that writes down the parameters it got."""
    parameters = nbformat.v4.new_code_cell("lake: str | None = None\nsources: list[str] | None = None")
    parameters.metadata["tags"] = ["parameters"]
    note = nbformat.v4.new_code_cell("import json\nopen('got.json', 'w').write(json.dumps([lake, sources, sorted(dir())]))")
    path = folder / "note.ipynb"
    language = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, note], metadata=language), path)
    return path


def test_a_notebook_gets_hostile_text_as_text_and_runs_none_of_it(tmp_path: Path) -> None:
    import json

    execute(notebook(tmp_path), tmp_path / "kept" / "note.ipynb", {"lake": "".join(HOSTILE), "sources": HOSTILE})
    lake, sources, names = json.loads((tmp_path / "got.json").read_text())
    assert (lake, sources) == ("".join(HOSTILE), HOSTILE)
    assert "owned" not in names
    assert not list(tmp_path.rglob("owned*"))


@pytest.mark.parametrize("name", ["nothing", "lake = 1; x", "lake\n__import__('os')", "__builtins__", "open", "", "Lake", "lake "])
def test_a_name_that_is_no_parameter_is_refused_before_the_notebook_runs(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=r"(?s)note\.ipynb has no parameter .*; expected lake, sources"):
        execute(notebook(tmp_path), tmp_path / "kept" / "note.ipynb", {name: "x"})
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "run_id", ["../../x", "20260301T020000-1a2b3c/..", "20260301T020000-1a2b3c\n", "'; drop", "", "20260301T020000-1A2B3C"]
)
def test_a_run_s_id_is_no_path(erp: Settings, run_id: str) -> None:
    if run_id:
        with pytest.raises(SettingsError, match="expected a form like"):
            Run.begin(erp, run_id=run_id)
    else:
        assert Run.begin(erp, run_id=run_id).folder.parent == erp.lake / "runs"


@pytest.mark.parametrize(
    "arguments", [("--step", "../x"), ("--step", "silver/sales; drop"), ("--run-date", "2026-03-01'; --"), ("--run-date", "../x")]
)
def test_the_command_line_refuses_what_is_no_step_and_no_day(tmp_path: Path, arguments: tuple[str, str]) -> None:
    (tmp_path / "landing").mkdir()
    done = call("run", "--landing", tmp_path / "landing", "--lake", tmp_path / "lake", *arguments)
    assert done.returncode == 1
    assert "error" in done.stderr
    assert "expected" in done.stderr
    assert "Traceback" not in done.stderr


PACK = REPOSITORY / "sources" / "erp_br"


def pack_in(folder: Path, name: str) -> Path:
    target = folder / name
    target.mkdir(parents=True)
    for path in PACK.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    return target


@pytest.mark.parametrize("name", ["erp'; drop table x; --", 'a"b', "a b", "a__b", "Ação", "a-b", "a\nb", "A", "1a", "a;b", "a.b"])
def test_a_pack_s_name_is_a_plain_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractError, match="expected lower-case letters and digits"):
        load_packs((pack_in(tmp_path, name),))


@pytest.mark.parametrize("kind", ["vendas'; --", 'x"y', "a b", "Vendas", "order_events"])
def test_a_kind_s_name_is_a_plain_word(tmp_path: Path, kind: str) -> None:
    (pack_in(tmp_path, "acme") / f"{kind}.yaml").write_bytes((PACK / "vendas.yaml").read_bytes())
    with pytest.raises(ContractError):
        load_packs((tmp_path / "acme",))


@pytest.mark.parametrize("glob", ["../*.csv", "/etc/*", "a/../../*.csv", ""])
def test_a_pack_s_glob_stays_below_the_landing_folder(tmp_path: Path, glob: str) -> None:
    path = pack_in(tmp_path, "acme") / "vendas.yaml"
    path.write_text(re.sub(r"^glob: .*$", f'glob: "{glob}"', path.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    with pytest.raises(ContractError, match="expected a pattern below the landing folder"):
        load_packs((path.parent,))


def test_a_pack_s_yaml_makes_no_objects(tmp_path: Path) -> None:
    path = pack_in(tmp_path, "acme") / "vendas.yaml"
    path.write_text("description: !!python/object/apply:os.system ['touch owned']\n", encoding="utf-8")
    with pytest.raises(ContractError):
        load_packs((path.parent,))
    assert not Path("owned").exists()


WORDS = {
    "header": ("header: SKU,", 'header: "S\'; drop table silver.sales; --",'),
    "format": ('"%d/%m/%Y %H:%M:%S", required: true}', "\"%d/%m/%Y'') or 1=1 --\", required: true}"),
    "description": ("description: Linhas de venda", 'description: "\'; drop table silver.sales; --"\n# '),
}


@pytest.mark.parametrize(("before", "after"), WORDS.values(), ids=WORDS)
def test_a_pack_s_texts_are_text_in_the_sql_that_is_made_of_them(
    tmp_path: Path, before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALES_TECH_HASH_KEY", "x")
    path = pack_in(tmp_path, "erp_br") / "vendas.yaml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    settings = settings_in(tmp_path / "run", "erp_br")
    settings = Settings(settings.lake, settings.landing, (path.parent,), threads=1)
    land_reference(settings.landing)
    landed = land_erp(settings.landing, "vendas_1", sale("P1"))
    header = after.removeprefix('header: "').removesuffix('",')
    landed.write_bytes(landed.read_bytes().replace(b";SKU;", f';"{header}";'.encode()) if "header" in after else landed.read_bytes())
    night(settings)
    assert len(read(settings, "bronze.erp_br_vendas")) == 1
    assert sum(row["rows"] for row in read(settings, "silver.fates") if row["file_kind"] == "vendas") == 1
    assert len(read(settings, "silver.sales")) == (0 if "format" in before or "%d" in before else 1)


@pytest.mark.parametrize("name", ["timezone", "encoding", "delimiter", "decimal", "key", "version"])
def test_a_pack_s_settings_are_what_they_can_be_and_no_sql(tmp_path: Path, name: str) -> None:
    path = pack_in(tmp_path, "acme") / "vendas.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    value = {"key": '["pedido\'; drop table x; --"]', "timezone": '"../../etc/localtime"'}.get(name, '"\'; drop table x; --"')
    path.write_text("\n".join(f"{name}: {value}" if line.startswith(f"{name}:") else line for line in lines), encoding="utf-8")
    with pytest.raises(ContractError):
        load_packs((path.parent,))


@pytest.mark.parametrize("statement", ["drop table silver.sales", "copy (select 1) to 'x'", "select * from read_text('/etc/passwd')"])
def test_a_pack_s_sql_reads_the_pack_s_files_only(tmp_path: Path, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_TECH_HASH_KEY", "x")
    folder = pack_in(tmp_path, "erp_br")
    (folder / "stores.sql").write_text(statement, encoding="utf-8")
    settings = settings_in(tmp_path / "run", "erp_br")
    land_reference(settings.landing)
    with pytest.raises(ContractError):
        night(Settings(settings.lake, settings.landing, (folder,), threads=1))
