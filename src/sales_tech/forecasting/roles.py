"""What the columns of a plan mean: told by their names and by what they hold, unless the user says it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

PRICE, DEPTH, FLAG, KIND, OPEN, CONTEXT, LABEL = "price", "depth", "flag", "kind", "open", "context", "label"
ROLES = (PRICE, DEPTH, FLAG, KIND, OPEN, CONTEXT, LABEL)
PROMOTIONAL = (PRICE, DEPTH, FLAG, KIND)
TEXTS = (KIND, LABEL)
NOTHING = "none"
"""What stands for a missing text where no other text says that nothing is promoted."""
NONE = re.compile(r"^(none|no|nao|0|0\.0|-|false|n/?a|nenhum|nenhuma|sem.*|null|nan|)$")
_OPEN = re.compile(r"(^|_)(open|opened|isopen|opendays|aberto|aberta)(_|$)")
_CONTEXT = re.compile(
    r"holid|feriad|unempl|weekday|dayofweek|(^|_)(event|school|escola|snap|payday|fuel|season)|(^|_)(dow|cpi|oil)(_|$)"
    r"|precip|(^|_)(weath|clima|temp|rain|chuv|lluvi|snow|neve|nieve|humid|umid|storm|sunshine|cloud)|(^|_)(wind|vento)(_|$)"
)
_CALENDAR = re.compile(r"week_?(day|end)|working|business_?day|(^|_)(day|week|month|quarter|closed|shut|fechad[ao])(_|$)")
_PROMOTED = re.compile(r"promo|deal|offer|oferta|black|sale|disc|desc|off(_|$)|special|especial|mechanic|mecanica|campaign|campanha")
_SURELY_PROMOTED = re.compile(r"promo|discount|desconto|reduc|mark_?down|rebate")
_CODE = re.compile(r"(^|_)(type|tipo|kind|id|code|cod|codigo)(_|$)|(mechanic|mecanica|campaign|campanha)$")
_PRICE = re.compile(r"pric|prec|valor|cost")
_CUT = re.compile(r"(^|_)(disc[a-z]*|desc[a-z]*|reduc[a-z]*|cuts?|off|rebates?|mark_?downs?)$|desc[a-z]*_valor$")
"""A name that ends so is of what is taken off a price, as in price_discount, where discounted_price is one."""
_ODD = 0.05
"""So few prices of 0 and depths below 0 are slips of those who keep them, and leave the column what its name says."""
_LESS = 0.95
"""Where a column that nobody called a promotion is above 0, and less than this part of the usual is sold, it is none."""
_DEPTH = re.compile(r"disc|desc|reduc|depth|mark_?down|rebate|(^|_)off(_|$)|_cut|promo.*(share|pct|percent|amount|count)|onpromotion")


def roles_of(
    panel: pd.DataFrame,
    plan: Sequence[str],
    target: str,
    given: Mapping[str, str] | None,
    series: Sequence[str] = (),
    time: str | None = None,
) -> dict[str, str]:
    """The role of each plan column; rows of the same `series`, and weekday of `time`, are compared.

    price: relative to the series' own recent one; depth: 0 without promotion, more sells more; flag: 0 or 1; kind: a
    text that names the mechanic; open: 0 where nothing can be sold; context and label: numbers and texts that are no
    promotion, such as a holiday. Missing values say nothing. ValueError for a role, or the column of one, that is not known.
    """
    for column, role in (given or {}).items():
        if column not in plan or role not in ROLES:
            raise ValueError(f"roles has {column}: {role}; expected columns of plan ({', '.join(plan)}) and one of {', '.join(ROLES)}")
    return {column: (given or {}).get(column) or _role(panel, column, target, series, time) for column in plan}


def named_as(role: str, column: str) -> bool:
    """Whether a column is called a price or a depth, and not something of the calendar or the weather."""
    name = _spelled(column)
    return bool({PRICE: _PRICE, DEPTH: _DEPTH}[role].search(name)) and not _is_context(name)


def called_promotion(column: str) -> bool:
    """Whether a column is called as a promotion is."""
    return bool(_PROMOTED.search(_spelled(column)))


def called_mechanic(column: str) -> bool:
    """Whether a column is called a mechanic, or a type, a code or an id."""
    return bool(_CODE.search(_spelled(column)))


def _is_context(name: str) -> bool:
    # A holiday's promotion is one.
    return bool(_CONTEXT.search(name)) and not _SURELY_PROMOTED.search(name)


def _spelled(column: str) -> str:
    return plain(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column))


def _role(panel: pd.DataFrame, column: str, target: str, series: Sequence[str], time: str | None) -> str:
    name = _spelled(column)
    values = panel[column]
    context = _is_context(name)
    calendar = bool(_CALENDAR.search(name)) and not _PROMOTED.search(name)
    if not is_number(values):
        return LABEL if context or calendar else KIND
    known = values.notna().to_numpy()
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)[known]
    if not len(numbers):
        return CONTEXT
    units = panel[target].to_numpy(dtype=np.float64, na_value=np.nan)[known]
    lowest, binary = numbers.min(), bool(np.isin(numbers, (0.0, 1.0)).all())
    if lowest == 0 and _is_open(numbers, units, bool(_OPEN.search(name))):
        return OPEN
    if context or _OPEN.search(name):
        return CONTEXT
    if _CODE.search(name) and _PROMOTED.search(name) and not binary and _are_codes(numbers, whole=bool(known.all())):
        return KIND
    # An offer of 0 is none.
    offered = lowest == 0 and _PROMOTED.search(name) and not _DEPTH.search(name)
    if _PRICE.search(name) and not _CUT.search(name) and (np.mean(numbers <= 0) <= _ODD or offered):
        return PRICE
    if _DEPTH.search(name) and np.mean(numbers < 0) <= _ODD and not binary:
        return DEPTH
    if calendar or lowest < 0:
        return CONTEXT
    if not _PROMOTED.search(name) and _sells_less(panel, column, target, series, time):
        return CONTEXT
    if binary:
        return FLAG
    return DEPTH if "promo" in name or (lowest == 0 and np.mean(numbers == 0) > 0.5 and numbers.max() <= 1) else CONTEXT


def _are_codes(numbers: np.ndarray, *, whole: bool) -> bool:
    # Numbers of mechanics are names of them, of which none is more than another; without promotion there is none, or a 0.
    return bool(np.all(numbers == np.round(numbers)) and (not whole or (numbers == 0).any()))


def _sells_less(panel: pd.DataFrame, column: str, target: str, series: Sequence[str], time: str | None) -> bool:
    # A rainy day or a strike looks like a promotion, but for what is sold in it, beside other such weekdays of the series.
    values, units = (pd.Series(panel[name].to_numpy(dtype=np.float64, na_value=np.nan)) for name in (column, target))
    alike = [panel[name].astype(object).to_numpy() for name in series]
    alike.append(np.zeros(len(panel)) if time is None else panel[time].dt.day_of_week.to_numpy())
    usual = units.where(values == 0).groupby(alike).transform("mean")
    some = (values > 0) & units.notna() & usual.notna()
    return bool(units[some].sum() < _LESS * usual[some].sum())


def _is_open(numbers: np.ndarray, units: np.ndarray, named: bool) -> bool:
    shut = numbers == 0
    if not named and (shut.sum() < 20 or shut.all() or not np.all(numbers == np.round(numbers)) or np.mean(units[~shut] > 0) < 0.9):
        return False
    return bool(np.nanmax(units[shut], initial=0.0) == 0)


def check_kinds(panel: pd.DataFrame, numbers: Mapping[str, bool], roles: Mapping[str, str], target: str) -> None:
    """ValueError that names the columns which are not, or cannot be, what they were at the fit.

    `numbers` tells whether each column was one of numbers, `roles` what plan columns were taken for.
    """
    words = {True: "numbers", False: "texts"}
    changed = [
        f"{column} is {panel[column].dtype} and was one of {words[was]}"
        for column, was in numbers.items()
        if is_number(panel[column]) != was and panel[column].notna().any()
    ]
    if not changed:
        told = {column: panel[column].to_numpy(dtype=np.float64, na_value=np.nan) for column, role in roles.items() if role not in TEXTS}
        all_units = panel[target].to_numpy(dtype=np.float64, na_value=np.nan)
        for column, every in told.items():
            known = ~np.isnan(every)
            if not known.any():
                continue
            values, units, role, lowest = every[known], all_units[known], roles[column], every[known].min()
            if role == PRICE and np.mean(values <= 0) > _ODD:
                changed.append(f"{column} was a price, which is above 0, and is {lowest:g}")
            elif role == DEPTH and np.mean(values < 0) > _ODD:
                changed.append(f"{column} was a depth, which is 0 or more, and is {lowest:g}")
            elif role == FLAG and not np.isin(values, (0.0, 1.0)).all():
                changed.append(f"{column} was a flag of 0 and 1, and is {lowest:g} to {values.max():g}")
            elif role == OPEN and np.nanmax(units[values == 0], initial=0.0) > 0:
                changed.append(f"{column} was 0 where nothing is sold, and is so on rows with {target}")
    if changed:
        raise ValueError(
            f"the panel is not like the one that was fitted: {'; '.join(changed)}; expected the same columns with the same meaning; "
            "convert them, or fit anew"
        )


def is_number(values: pd.Series) -> bool:
    """Whether a column holds numbers or yes and no."""
    return bool(pd.api.types.is_numeric_dtype(values))


def text_of(values: pd.Series) -> pd.Series:
    """A column as texts: a missing one is NOTHING, a number the same text whether it came as an integer or as a float."""
    missing = values.isna()
    if not is_number(values) and pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        values = values.astype("boolean")
    if not is_number(values):
        return values.astype(object).where(~missing, NOTHING).astype(str) if missing.any() else values.astype(str)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    whole = np.isfinite(numbers) & (numbers == np.round(numbers))
    told = [str(int(number)) if even else str(number) for number, even in zip(numbers.tolist(), whole.tolist(), strict=True)]
    return pd.Series(np.where(missing, NOTHING, told), values.index, dtype=object)


def plain(text: str) -> str:
    """A text in small letters without accents."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def neutral_text(values: pd.Series) -> str:
    """The text that stands for no promotion: one that says so, or NOTHING where some are missing, otherwise the most frequent."""
    counts = text_of(values.dropna()).value_counts()
    ordered = sorted(counts.index, key=lambda text: (-counts[text], text))
    named = [text for text in ordered if NONE.match(plain(text.strip()))]
    return str((named or ([NOTHING] if len(counts) == 0 or values.isna().any() else ordered))[0])
