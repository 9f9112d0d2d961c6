"""The form in a browser: what a planner chooses is what the endpoint is asked, and what it answers is shown."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
import uvicorn
from playwright.sync_api import Browser, Page
from tests.models.pasts import recipe, small_past
from tests.support.browser import running_browser

from sales_tech.planning import Outlook
from sales_tech.serving.app import application


@pytest.fixture(scope="module")
def outlook() -> Outlook:
    return recipe().fit(small_past()).outlook_


class Nightly:
    """What the next night forecast, from when it is told that there was one."""

    def __init__(self, outlook: Outlook) -> None:
        self.outlook, self.came = outlook, False

    def moved(self) -> bool:
        return self.came

    def read(self) -> Outlook:
        self.came = False
        return self.outlook


@pytest.fixture(scope="module")
def nightly(outlook: Outlook) -> Nightly:
    day = pd.Timedelta(days=1)
    later = outlook.baseline.assign(sold_on=outlook.baseline["sold_on"] + day)
    return Nightly(replace(outlook, baseline=later, origin=(outlook.origin + day).as_unit("s")))


@pytest.fixture(scope="module")
def address(outlook: Outlook, nightly: Nightly) -> Iterator[str]:
    """The endpoint on loopback, for as long as the tests of this file run."""
    server = uvicorn.Server(uvicorn.Config(application(outlook, newer=nightly), access_log=False, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as found:
        yield found


@pytest.fixture
def form(browser: Browser, address: str) -> Iterator[Form]:
    context = browser.new_context(locale="en-US")
    yield Form(context.new_page(), address)
    context.close()


class Form:
    """The form as it is used; `asked` are the promotions that the last request named."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.faults = page, list[str]()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        with page.expect_response("**/invocations") as first:
            page.goto(address)
        self.asked, self.answer = self._told(first.value)

    def after(self, doing: Any) -> None:
        """Do something that asks anew, and wait for what is answered."""
        with self.page.expect_response("**/invocations") as again:
            doing()
        self.asked, self.answer = self._told(again.value)

    def type(self, text: str) -> None:
        """Write into the field of SKUs, and wait for what is found and answered."""
        self.page.fill("#sku", text)
        self.page.wait_for_selector("#answer[aria-busy=false]")

    def text(self, name: str) -> str:
        return (self.page.text_content(f"#{name}") or "").strip()

    def _told(self, response: Any) -> tuple[dict[str, Any], Any]:
        (promotion,) = response.request.post_data_json["promotions"]
        answer = response.json()
        self.page.wait_for_selector("#answer[aria-busy=false]")
        return promotion, answer


def test_the_first_plan_is_that_of_the_sku_that_sells_most(form: Form) -> None:
    assert form.asked["skus"] == ["S5"]
    assert form.page.is_visible("#told")
    assert form.faults == []


def test_all_that_a_word_finds_is_planned_together_and_shown_as_one(form: Form, outlook: Outlook) -> None:
    form.type("fones")
    assert form.text("add") == "Add 3"
    form.after(lambda: form.page.click("#add"))
    assert sorted(form.asked["skus"]) == ["S1", "S3", "S5"]
    assert form.text("count") == "3 SKUs on the list"
    plans = pd.DataFrame([form.asked | {"sku": sku} for sku in form.asked["skus"]])
    units = outlook.forecast(plans.astype({"starts_on": "datetime64[s]", "ends_on": "datetime64[s]"}))["units"].sum()
    (shown, *_) = form.page.locator("#figures dd").all_text_contents()
    assert shown.startswith(f"{units:,.0f}80 %")


def test_skus_are_put_on_the_list_and_taken_off_one_by_one(form: Form) -> None:
    form.after(lambda: form.page.click("#add"))
    form.after(lambda: form.type("s2"))
    assert form.asked["skus"] == ["S5", "S2"]  # the one in the field counts, too
    form.after(lambda: form.page.click("#add"))
    form.type("S2")
    assert form.page.is_disabled("#add")  # it is there already
    form.after(lambda: form.page.click("#list li:first-child button"))
    assert form.asked["skus"] == ["S2"]
    assert form.text("count") == "1 SKU on the list"
    form.type("")
    form.page.click("#clear")
    form.page.wait_for_selector("#told", state="hidden")
    assert form.page.is_hidden("#chosen")
    assert form.faults == []


def test_a_promotion_may_run_in_several_channels(form: Form, outlook: Outlook) -> None:
    assert form.asked["channels"] is None
    assert form.page.is_disabled("#add-channel")
    first, second = sorted(outlook.members["channel"].unique())
    form.after(lambda: form.page.select_option("#channel", first))
    assert form.asked["channels"] == [first]  # the one in the field counts, too
    form.after(lambda: form.page.click("#add-channel"))
    assert form.asked["channels"] == [first]
    assert form.page.locator("#channel option").all_text_contents() == ["One more?", second]
    form.after(lambda: form.page.select_option("#channel", second))
    form.after(lambda: form.page.click("#add-channel"))
    assert form.asked["channels"] == [first, second]
    assert form.page.is_disabled("#channel")
    assert {row["channel"] for row in form.answer["days"]} == {first, second}
    form.after(lambda: form.page.click("#channels li:first-child button"))
    assert form.asked["channels"] == [second]
    assert {row["channel"] for row in form.answer["days"]} == {second}
    form.page.click("#language")
    assert form.page.get_attribute("#channels button", "aria-label") == f"Tirar {second}"
    assert form.page.locator("#channel option").all_text_contents() == ["Mais um?", first]
    form.after(lambda: form.page.click("#channels button"))
    assert form.asked["channels"] is None
    assert form.page.locator("#channel option").all_text_contents() == ["Todos", first, second]
    assert form.page.is_hidden("#channels")
    assert form.faults == []


def test_the_regions_are_those_of_the_channels_that_are_chosen(form: Form, outlook: Outlook) -> None:
    sold = outlook.regions[outlook.regions["share"] > 0].groupby("channel", observed=True)["region"].agg(lambda of: sorted({*of}))
    for channel in sorted(outlook.members["channel"].unique()):
        form.after(lambda name=channel: form.page.select_option("#channel", name))
        assert form.page.locator("#region option").all_text_contents()[1:] == sold.get(channel, sorted({*outlook.regions["region"]}))


def test_what_nothing_is_found_by_cannot_be_put_on_the_list(form: Form) -> None:
    form.type("geladeira")
    assert form.text("sku-note") == "No SKU found."
    assert form.page.is_disabled("#add")
    assert form.page.is_hidden("#told")


def test_the_list_speaks_the_language_of_the_page(form: Form) -> None:
    form.after(lambda: form.page.click("#add"))
    form.page.click("#language")
    assert form.text("count") == "1 SKU na lista"
    assert form.page.get_attribute("#list li button", "aria-label") == "Tirar S5"


def test_a_page_that_was_left_open_over_night_tells_the_days_of_the_new_one(form: Form, outlook: Outlook, nightly: Nightly) -> None:
    last = outlook.origin + pd.Timedelta(days=outlook.horizon)
    assert form.page.get_attribute("#ends", "max") == f"{last:%Y-%m-%d}"
    assert f"up to {outlook.origin:%b} {outlook.origin.day}, " in form.text("known")
    nightly.came = True
    form.after(lambda: form.page.fill("#investment", "10"))
    form.page.wait_for_function("max => document.getElementById('ends').max === max", arg=f"{last + pd.Timedelta(days=1):%Y-%m-%d}")
    assert f"up to {nightly.outlook.origin:%b} {nightly.outlook.origin.day}, " in form.text("known")
    assert form.faults == []


def test_what_would_be_best_with_a_weak_or_strong_effect_stands_beside_the_advice(form: Form) -> None:
    said = set()
    for investment in ("0", "100", "1000", "500000"):
        form.after(lambda amount=investment: form.page.fill("#investment", amount))
        rows = form.answer["alternatives"]
        best = {end: max(rows, key=lambda row, name=end: row[name]) for end in ("net_margin", "net_margin_if_weak", "net_margin_if_strong")}
        usual, weak, strong = ((one["discount_share"], one[end] > 0) for end, one in best.items())
        told = form.text("advice")
        assert ("both ends" in told) == (weak == usual == strong or not (weak[1] or usual[1] or strong[1]))
        assert ("weak end of its 80 % range, none would pay" in told) == (usual[1] and not weak[1])
        assert (f"at the strong end, {strong[0]:.0%}".replace("%", "") in told) == (strong[1] and strong != usual)
        said.add((usual[1], weak[1], strong[1]))
    assert len(said) > 1
    form.page.click("#language")
    assert "intervalo de 80 % do efeito" in form.text("advice")
    assert form.faults == []


CUT_OFF = "() => [...document.querySelectorAll('svg text')].filter((one) => one.getBBox().x < 0).map((one) => one.textContent)"


def test_a_loss_keeps_its_minus_at_the_axis_in_either_language(form: Form) -> None:
    form.after(lambda: form.page.fill("#investment", "500000"))
    for language in ("en", "pt-BR"):
        assert "\u2212" in form.text("depths"), language
        assert form.page.evaluate(CUT_OFF) == [], language
        form.page.click("#language")


def test_the_key_of_the_bars_is_true_in_the_dark_theme_where_the_planned_one_is_the_brighter(form: Form) -> None:
    form.page.emulate_media(color_scheme="dark")
    for word in ("full colour", "cor cheia"):
        assert word in form.text("depths")
        form.page.click("#language")


BEYOND = """() => [...document.querySelectorAll('#figures dd, .scroll')]
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""


def test_figures_of_hundreds_of_thousands_and_the_table_fit_a_window_of_1300(form: Form) -> None:
    form.page.set_viewport_size({"width": 1300, "height": 900})
    form.page.click("#language")
    form.after(lambda: form.page.fill("#investment", "500000"))
    form.page.click("summary")
    assert form.page.evaluate(BEYOND) == []
