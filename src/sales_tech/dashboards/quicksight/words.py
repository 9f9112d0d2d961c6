"""What QuickSight's rendering says of its own, and how it writes figures, in each language."""

from __future__ import annotations

from typing import Any, Literal

from sales_tech.dashboards.specification import Format
from sales_tech.dashboards.visuals import Words

Language = Literal["pt", "en"]

FROM = Words(en="From month", pt="Do mês")
TO = Words(en="To month", pt="Até o mês")
PARTS = {"current": Words(en="chosen period", pt="no período"), "before": Words(en="period before", pt="período anterior")}
ESTIMATE = Words(en="An estimate.", pt="Estimativa.")
LINES_FOR_BAND = Words(en="The range is drawn as two dotted lines.", pt="A faixa aparece como duas linhas pontilhadas.")
BREAK_EVEN = {
    "zero": Words(
        en="Points above 0 on the vertical axis earn more than they cost.",
        pt="Pontos acima de 0 no eixo vertical rendem mais do que custam.",
    ),
    "equal": Words(en="Points where both axes are equal break even.", pt="Pontos em que os dois eixos são iguais empatam."),
}
FIRST_PAGE = Words(en="The first page holds the {top} greatest.", pt="A primeira página traz os {top} maiores.")
CLICK = Words(en="Filter by what is clicked", pt="Filtrar pelo que foi clicado")

_PLACES: dict[Format, int] = {"money": 2, "number": 0, "decimal": 2, "percent": 1, "ratio": 2, "hours": 1}


def said(words: Words, language: Language) -> str:
    """The text in a language."""
    return words.pt if language == "pt" else words.en


def number_format(kind: Format, language: Language) -> dict[str, Any]:
    """How a figure is written: separators of the language, and the currency of the parameter where it is money."""
    decimal, thousands = ("COMMA", "DOT") if language == "pt" else ("DOT", "COMMA")
    plain: dict[str, Any] = {
        "DecimalPlacesConfiguration": {"DecimalPlaces": _PLACES[kind]},
        "SeparatorConfiguration": {
            "DecimalSeparator": decimal,
            "ThousandsSeparator": {"Symbol": thousands, "Visibility": "VISIBLE"},
        },
    }
    match kind:
        case "money":
            chosen = {"CurrencyDisplayFormatConfiguration": {"Symbol": {"Ref": "Currency"}, "NumberScale": "NONE", **plain}}
        case "percent":
            chosen = {"PercentageDisplayFormatConfiguration": plain}
        case _:
            suffix = {"Suffix": " h"} if kind == "hours" else {}
            chosen = {"NumberDisplayFormatConfiguration": {"NumberScale": "NONE", **suffix, **plain}}
    return {"FormatConfiguration": chosen}
