"""The description of the endpoint in OpenAPI, and the copy of Swagger UI that shows it without a network."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sales_tech import __version__
from sales_tech.serving.refusals import Problem, Refused
from sales_tech.serving.requests import COLUMNS, CSV, JSON, Question

if TYPE_CHECKING:
    from sales_tech.planning import Outlook
    from sales_tech.serving.choices import Choices

_SCHEMAS = "#/components/schemas/"
_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")


def document(outlook: Outlook, choices: Choices) -> dict[str, Any]:
    """The OpenAPI document, with an example that lies within the outlook's horizon."""
    schema = Question.model_json_schema(ref_template=_SCHEMAS + "{model}")
    schemas = {**schema.pop("$defs"), "Question": schema, **_ANSWERS}
    example = _example(outlook, choices)
    row = example["promotions"][0]
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, [row.get(name, "") for name in COLUMNS]])
    refused = {str(status): _refusal(words) for status, words in _REFUSALS.items()}
    answered = {
        "description": "What the promotions will sell and earn; as CSV, the rows of `days`",
        "content": {JSON: {"schema": {"$ref": f"{_SCHEMAS}Answer"}}, CSV: {"schema": {"type": "string"}}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sales Tech",
            "version": __version__,
            "description": f"What planned promotions will sell and earn. The model knows sales up to {outlook.origin:%Y-%m-%d} and looks "
            f"{outlook.horizon} days ahead; money is in {outlook.currency}.",
        },
        "paths": {
            "/ping": {
                "get": {"tags": ["plans"], "summary": "Whether the endpoint is ready", "responses": {"200": {"description": "It is"}}}
            },
            "/invocations": {
                "post": {
                    "tags": ["plans"],
                    "summary": "Tell what planned promotions will sell and earn",
                    "parameters": [
                        {
                            "name": "days",
                            "in": "query",
                            "description": "no leaves the rows of single days out of a JSON answer",
                            "schema": {"type": "string", "enum": ["yes", "no"], "default": "yes"},
                        }
                    ],
                    "requestBody": {
                        "required": True,
                        "content": {
                            JSON: {"schema": {"$ref": f"{_SCHEMAS}Question"}, "example": example},
                            CSV: {"schema": {"type": "string"}, "example": table.getvalue()},
                        },
                    },
                    "responses": {"200": answered, **refused},
                }
            },
        },
        "components": {"schemas": schemas},
    }


def swagger_file(name: str) -> Path:
    """A file of Swagger UI; Refused with 404 for any other name."""
    # Found, not imported: its package would import a framework that nothing here uses.
    spec = find_spec("fastapi_offline")
    if name not in _FILES or spec is None or not spec.submodule_search_locations:
        raise Refused(404, Problem("an address that is not there", "/docs", "correct the address"))
    return Path(spec.submodule_search_locations[0]) / "static" / name


def _example(outlook: Outlook, choices: Choices) -> dict[str, Any]:
    starts = outlook.origin + timedelta(days=min(7, outlook.horizon))
    ends = min(starts + timedelta(days=9), outlook.origin + timedelta(days=outlook.horizon))
    sku, tried = choices.sample or ({"sku": "SKU"}, {"mechanic": "percentual", "display": False})
    promotion = {
        "sku": sku["sku"],
        "mechanic": tried["mechanic"],
        "display": tried["display"],
        "discount_share": 0.2,
        "starts_on": f"{starts:%Y-%m-%d}",
        "ends_on": f"{ends:%Y-%m-%d}",
    }
    return {"promotions": [promotion], "depths": [0.1, 0.2, 0.3]}


def _refusal(words: str) -> dict[str, Any]:
    return {"description": words, "content": {JSON: {"schema": {"$ref": f"{_SCHEMAS}Errors"}}}}


_REFUSALS = {
    400: "The body cannot be read",
    406: "Neither JSON nor CSV is accepted",
    413: "The body is too large",
    415: "The body is neither JSON nor CSV",
    422: "The plan cannot be told of",
}
_ROWS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
_ANSWERS: dict[str, Any] = {
    "Answer": {
        "type": "object",
        "properties": {
            "origin": {"type": "string", "format": "date", "description": "The last day of sales that the model knows"},
            "currency": {"type": "string", "description": "ISO 4217 code of all money"},
            "promotions": {**_ROWS, "description": "Sums of each promotion"},
            "alternatives": {**_ROWS, "description": "Each promotion at each depth, with what it earns and its rank"},
            "days": {**_ROWS, "description": "Each promotion, SKU, channel and day"},
            "warnings": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Where the plan goes beyond what was ever tried, has begun, or runs where nothing is sold",
            },
        },
    },
    "Errors": {
        "type": "object",
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "found": {"type": "string"},
                        "expected": {"type": "string"},
                        "remedy": {"type": "string"},
                        "row": {"type": ["integer", "null"], "description": "Number of the promotion in the request, from 1"},
                        "field": {"type": ["string", "null"]},
                    },
                },
            }
        },
    },
}
