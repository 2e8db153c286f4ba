"""The estimate of costs follows from what was counted, the schedules and the price list."""

import msgspec
import pytest

from release import costs
from release.costs import A_MONTH, DAYS, Measured, Report

ONE = Measured(counts={"execution": 1, "message": 2, "table": 10, "vault": 1}, seconds=3.0)
NONE = Measured(counts={"execution": 1}, seconds=0.1)
FOUND = Report(
    "2026-11-21", {**dict.fromkeys(A_MONTH, ONE), **dict.fromkeys(costs.schedules(), NONE)}
)


def test_the_page_says_what_the_figures_give() -> None:
    text = costs.PAGE.read_text("utf-8")
    assert costs.written(text) == text, "run: make generate"


def test_every_operation_and_every_timer_was_counted() -> None:
    operations = costs.report().operations
    assert operations.keys() >= {"onboard", *A_MONTH, *costs.schedules()}
    assert all(each.counts["execution"] >= 1 for each in operations.values())
    onboard, look = operations["onboard"].counts, operations["look"].counts
    assert onboard["vault"] and onboard["message"] and onboard["table"] > look["table"]
    assert "vault" not in look, "the front door reads no secret"


def test_a_timer_fires_as_often_as_its_schedule_says() -> None:
    assert costs.runs("0 */15 * * * *") == pytest.approx(96 * DAYS)
    assert costs.runs("0 5/15 * * * *") == pytest.approx(96 * DAYS)
    assert costs.runs("40 */2 * * * *") == pytest.approx(720 * DAYS)
    assert costs.runs("0 0 3 * * *") == pytest.approx(DAYS)


def test_use_grows_with_connections_and_timers_do_not() -> None:
    nothing, _ = costs.usage(FOUND, 0)
    assert nothing["message"] == nothing["vault"] == 0 and nothing["execution"] > 0
    ten, _ = costs.usage(FOUND, 10)
    assert ten["vault"] == sum(round(times * 10) for times in A_MONTH.values())
    assert ten["execution"] - nothing["execution"] == ten["vault"] > 600
    assert ten["table"] == pytest.approx(10 * ten["vault"], rel=0.01)


def test_an_execution_is_billed_for_a_second_at_least_and_for_what_it_took() -> None:
    _, idle = costs.usage(FOUND, 0)
    fires = sum(costs.runs(schedule) for schedule in costs.schedules().values())
    assert idle == pytest.approx(fires * costs.LEAST * costs.MEMORY)
    _, busy = costs.usage(FOUND, 1)
    assert busy - idle == pytest.approx(sum(A_MONTH.values()) * 3.0 * costs.MEMORY)


def test_what_is_free_is_not_billed() -> None:
    price = costs.prices()
    small, large = costs.bill(FOUND, price, 0), costs.bill(FOUND, price, 1_000_000)
    assert small["Service Bus"] == price["servicebus"]["month"]
    assert small["Key Vault"] == small["Logs and traces"] == 0
    for service in ("Functions", "Service Bus", "Key Vault", "Tables", "Logs and traces"):
        assert large[service] > small[service], service
    assert large["Alerts"] == small["Alerts"] > 0


def test_a_price_that_doubles_doubles_the_bill() -> None:
    price = costs.prices()
    dear = msgspec.json.decode(msgspec.json.encode(price))
    dear["keyvault"]["ten_thousand_operations"] *= 2
    before, after = (costs.bill(FOUND, each, 10_000)["Key Vault"] for each in (price, dear))
    assert after == pytest.approx(2 * before)
