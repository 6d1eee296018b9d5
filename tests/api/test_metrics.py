"""Metrics and readiness over HTTP: what a monitor and a balancer ask."""

import asyncio

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.house import House


def up(text: str) -> float:
    families = text_string_to_metric_families(text)
    (only,) = (each.samples[0].value for each in families if each.name == "perezvon_engine_up")
    return float(only)


def test_a_monitor_reads_the_metrics_of_the_engine(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/metrics")
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert up(reply.text) == 1
        assert "perezvon_events_total 0.0" in reply.text

    house.serve(scenario)


def test_without_the_engine_the_metrics_say_so_and_nothing_else(house: House) -> None:
    async def scenario() -> None:
        async with house.client(house.app(), "read") as client:
            reply = await client.get("/metrics")
        assert reply.status_code == 200
        assert up(reply.text) == 0
        assert len(list(text_string_to_metric_families(reply.text))) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(("beating", "status"), [(True, 200), (False, 503)])
def test_ready_is_an_engine_whose_heart_beats(house: House, *, beating: bool, status: int) -> None:
    house.beating = beating

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/ready")
        assert (reply.status_code, reply.json()) == (status, {"ready": beating})

    house.serve(scenario, None)
