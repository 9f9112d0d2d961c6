"""Puts the page together: the shell, its style and code, Vega-Lite, and the data of all dashboards."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from graphlib import TopologicalSorter
from importlib import resources
from pathlib import Path
from typing import Any

from sales_tech.dashboards.page.data import Extract, currencies, extracts
from sales_tech.dashboards.page.encoding import Packed, compressed
from sales_tech.dashboards.questions import is_cut
from sales_tech.dashboards.specification import Dashboard
from sales_tech.dashboards.visuals import Visual, dimensions_of, grain_of, measures_of
from sales_tech.lake.query import Reader

PAGE = "dashboard.html"
# Rules for narrow windows and for paper override those before them.
_STYLES = ("colors", "page", "controls", "cards", "contents", "narrow", "print")
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:const|function) (\w+))", re.MULTILINE)


def page_of(dashboards: Sequence[Dashboard], reader: Reader, made: datetime | None = None) -> str:
    """The page of some dashboards over one lake, as HTML; QueryError where a data set is too large, LakeError without a lake."""
    packed = Packed()
    told = []
    for dashboard in dashboards:
        found = extracts(dashboard, reader)
        told.append(
            dashboard.model_dump(mode="json", exclude={"data", "sheets"}, exclude_none=True)
            | {
                "data": {name: _data(dashboard, name, extract, packed) for name, extract in found.items()},
                "sheets": [
                    sheet.model_dump(mode="json", include={"name", "title"}) | {"visuals": [_visual(one) for one in sheet.visuals]}
                    for sheet in dashboard.sheets
                ],
                "currencies": currencies(dashboard, reader),
            }
        )
    header = {"made": (made or datetime.now(UTC)).isoformat(timespec="seconds"), "dashboards": told}
    code, bundle = _code(), vega()
    parts = {
        "policy": f"default-src 'none'; script-src '{_hash(code)}' '{_hash(bundle)}'; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'",
        "style": "\n".join(_file(f"css/{name}.css") for name in _STYLES),
        "data": packed.text(header),
        "vega": compressed(bundle.encode()),
        "code": code,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _file("shell.html"))


def write_page(dashboards: Sequence[Dashboard], reader: Reader, path: Path) -> Path:
    """Write the page beside its name and then move it there, so that no one opens half of it; raises as `page_of` does, and OSError."""
    text = page_of(dashboards, reader)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


@cache
def vega() -> str:
    """Vega-Lite, Vega and Vega-Embed as one script, which tells the page when it is there."""
    import vl_convert  # 30 MB; only here

    return vl_convert.javascript_bundle('window.vegaEmbed = vegaEmbed; window.dispatchEvent(new Event("vega"));')


def _data(dashboard: Dashboard, name: str, extract: Extract, packed: Packed) -> dict[str, Any]:
    data = dashboard.data[name]
    return {
        "table": data.table,
        "labels": {column: words.model_dump() for column, words in data.dimensions.items()},
        "measures": {label: measure.model_dump(mode="json", exclude_none=True) for label, measure in data.measures.items()},
        "period": extract.period,
        **packed.extract(extract),
    }


def _visual(visual: Visual) -> dict[str, Any]:
    # What visuals.py knows of roles is told here, so that the page's code need not know it again.
    return visual.model_dump(mode="json", exclude_none=True) | {
        "dimensions": [name for _, name in dimensions_of(visual)],
        "measures": list(dict.fromkeys(name for _, name in measures_of(visual))),
        "grain": grain_of(visual),
        "cut": is_cut(visual),
    }


def _code() -> str:
    """The main module and those it needs as one, each in a scope of its own, as a file that is opened from a folder may import no other."""
    modules: dict[str, str] = {}
    needed = ["main"]
    while needed:
        name = needed.pop()
        if name not in modules:
            modules[name] = _file(f"js/{name}.js")
            needed += _imported(modules[name])
    order = TopologicalSorter({name: _imported(module) for name, module in modules.items()}).static_order()
    return "\n".join(_scope(name, modules[name]) for name in order)


def _imported(module: str) -> list[str]:
    return [found[1] for found in _IMPORT.findall(module)]


def _scope(name: str, module: str) -> str:
    exported = ", ".join(found[1] for found in _EXPORT.findall(module))
    body = _EXPORT.sub(r"\1", _IMPORT.sub(r"const \1 = \2_js;", module))
    return f"const {name}_js = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();"


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _file(name: str) -> str:
    return (resources.files("sales_tech.dashboards.page") / name).read_text(encoding="utf-8")
