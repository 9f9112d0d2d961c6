"""What erp_br says of promotions and of empty shelves, as silver holds it."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.support.exports import PROMOCOES, land_erp, promotion, stockout
from tests.support.nights import night, read, snapshots

from sales_tech.settings import Settings


def only(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one row of a table that has one."""
    (row,) = rows
    return row


def test_a_stock_out_lasts_up_to_and_with_its_last_day(erp: Settings) -> None:
    land_erp(erp.landing, "rupturas_2026", stockout("L1", "A", inicio="30/12/2025", fim="02/01/2026"))
    night(erp)
    assert only(read(erp, "silver.stockouts")) == {
        "source": "erp_br",
        "store_id": "L1",
        "sku": "A",
        "starts_on": date(2025, 12, 30),
        "ends_on": date(2026, 1, 2),
    }


def test_a_stock_out_of_one_day_begins_and_ends_on_it(erp: Settings) -> None:
    land_erp(erp.landing, "rupturas_2026", stockout(inicio="02/01/2026", fim="02/01/2026"))
    night(erp)
    row = only(read(erp, "silver.stockouts"))
    assert row["starts_on"] == row["ends_on"] == date(2026, 1, 2)


def test_a_stock_out_that_ends_before_it_begins_is_rejected(erp: Settings) -> None:
    land_erp(erp.landing, "rupturas_2026", stockout(inicio="05/01/2026", fim="04/01/2026"), stockout(sku="B"))
    night(erp)
    assert only(read(erp, "silver.rejects"))["reasons"] == "ends_on: before starts_on"
    assert only(read(erp, "silver.stockouts"))["sku"] == "B"


def test_a_later_file_says_anew_how_long_a_stock_out_lasted(erp: Settings) -> None:
    land_erp(erp.landing, "rupturas_2026-01", stockout(fim="05/01/2026"))
    night(erp)
    land_erp(erp.landing, "rupturas_2026-02", stockout(fim="09/01/2026"))
    night(erp)
    assert only(read(erp, "silver.stockouts"))["ends_on"] == date(2026, 1, 9)
    assert {row["fate"] for row in read(erp, "silver.fates")} == {"accepted", "superseded"}


def test_a_second_night_without_new_files_makes_no_snapshot(erp: Settings) -> None:
    land_erp(erp.landing, "rupturas_2026", stockout())
    land_erp(erp.landing, "promocoes_2026", promotion())
    night(erp)
    before = snapshots(erp)
    assert before["silver.stockouts"]
    night(erp)
    assert snapshots(erp) == before


def test_a_promotion_is_limited_to_a_region_and_bears_its_display(erp: Settings) -> None:
    rows = [
        promotion("P1", regiao="Nordeste", exposicao="S"),
        promotion("P2", exposicao="N"),
        promotion("P3", exposicao=""),
    ]
    land_erp(erp.landing, "promocoes_2026", *rows)
    night(erp)
    found = {row["promotion_id"]: (row["region"], row["display"]) for row in read(erp, "silver.promotions")}
    assert found == {"P1": ("Nordeste", True), "P2": (None, False), "P3": (None, None)}


def test_a_promotion_is_called_off_by_a_later_file_and_may_come_back(erp: Settings) -> None:
    land_erp(erp.landing, "promocoes_1", promotion("P1"), promotion("P2"), promotion("P3", situacao=""))
    night(erp)
    assert {row["promotion_id"]: row["withdrawn"] for row in read(erp, "silver.promotions")} == {"P1": False, "P2": False, "P3": None}
    land_erp(erp.landing, "promocoes_2", promotion("P1", situacao="Cancelada"), promotion("P2"))
    night(erp)
    assert {row["promotion_id"]: row["withdrawn"] for row in read(erp, "silver.promotions")} == {"P1": True, "P2": False, "P3": None}
    land_erp(erp.landing, "promocoes_3", promotion("P1", inicio="12/01/2026"))
    night(erp)
    back = next(row for row in read(erp, "silver.promotions") if row["promotion_id"] == "P1")
    assert (back["withdrawn"], back["starts_on"]) == (False, date(2026, 1, 12))


def test_a_file_of_promotions_without_region_and_display_still_loads_beside_one_with_them(erp: Settings) -> None:
    old = [name for name in PROMOCOES if name not in ("regiao", "exposicao", "situacao")]
    row = promotion("P1")
    lines = [";".join(PROMOCOES[name] for name in old), ";".join(row[name] for name in old)]
    path = erp.landing / "erp_br" / "promocoes_2025.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(("\n".join(lines) + "\n").encode("latin-1"))
    night(erp)
    first = only(read(erp, "silver.promotions"))
    assert (first["promotion_id"], first["region"], first["display"]) == ("P1", None, None)
    land_erp(erp.landing, "promocoes_2026", promotion("P2", regiao="Sul", exposicao="S"))
    night(erp)
    found = {row["promotion_id"]: (row["region"], row["display"], str(row["investment"])) for row in read(erp, "silver.promotions")}
    assert found == {"P1": (None, None, "100.00"), "P2": ("Sul", True, "100.00")}


def test_an_unreadable_word_for_display_is_rejected(erp: Settings) -> None:
    land_erp(erp.landing, "promocoes_2026", promotion(exposicao="talvez"))
    night(erp)
    assert only(read(erp, "silver.rejects"))["reasons"] == "exposicao: not a boolean"
