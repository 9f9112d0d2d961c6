"""How a dimension is shown and filtered in QuickSight: columns that are added to a data set when it is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from sales_tech.dashboards.quicksight.names import slug

NONE = "—"


@dataclass(frozen=True)
class Dimension:
    """The column that visuals show, the one that sorts its values where their words have an order, and the one that filters take.

    A filter takes texts that are never null, since a filter of QuickSight cannot both let null pass while nothing is chosen and stop it
    otherwise. `added` are the columns that are not there yet, with their expressions.
    """

    shown: str
    place: str | None = None
    choice: str | None = None
    added: dict[str, str] = field(default_factory=dict)


def dimension(name: str, is_text: bool, required: bool, words: dict[str, str], *, filtered: bool, in_order: bool) -> Dimension:
    """How a column is shown: by its words where it has some, else as it is; `in_order` where visuals keep the order of the words."""
    as_text = f"{{{name}}}" if is_text else f"toString({{{name}}})"
    plain = slug(name).replace("-", "_")
    never_null = as_text if required else f"ifelse(isNull({{{name}}}), '{NONE}', {as_text})"
    if words:
        cases = "".join(f"{_text(value)}, {_text(shown)}, " for value, shown in words.items())
        places = "".join(f"{_text(value)}, {place}, " for place, value in enumerate(words, start=1))
        shown, place = f"{plain}_shown", f"{plain}_place"
        added = {shown: f"switch({never_null}, {cases}{never_null})"}
        if in_order:
            added[place] = f"switch({never_null}, {places}{len(words) + 1})"
        return Dimension(shown, place if in_order else None, shown if filtered else None, added)
    if not filtered:
        return Dimension(name)
    if never_null == f"{{{name}}}":
        return Dimension(name, choice=name)
    return Dimension(name, choice=f"{plain}_choice", added={f"{plain}_choice": never_null})


def _text(value: str) -> str:
    # An apostrophe would end the text, and QuickSight names no way to write one in it.
    return "'" + value.replace("'", "’") + "'"
