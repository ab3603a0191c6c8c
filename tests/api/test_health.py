"""Up, well, and how much: what monitors and Prometheus read."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ecm.store.migrate import MIGRATIONS, read_files
from tests.api.conftest import NOW, ORIGIN, Story


async def well(story: Story) -> None:
    await story.run(
        "INSERT INTO heartbeats VALUES ('worker 1', now() - interval '1 hour', '{}'),"
        " ('worker 2', now(), jsonb_build_object('alarm_proved_at', now() - interval '110 seconds'))"
    )


async def metrics(story: Story) -> dict[str, float]:
    text = (await story.at_the_door().get("/metrics")).text
    return {one.name: one.samples[0].value for one in text_string_to_metric_families(text) if one.samples}


async def test_the_process_says_it_is_up_also_without_its_database(story: Story) -> None:
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    answer = await story.at_the_door().get("/healthz")
    assert answer.json() == {"status": "ok", "now": "2026-11-21T09:16:00Z", "speed": 1.0}


async def test_ready_when_the_worker_beats_and_nothing_waits(story: Story) -> None:
    await well(story)
    answer = await story.at_the_door().get("/readyz")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["status"] == "ready"
    assert shown["worker"]["beat_age_s"] < 60
    assert shown["migrations"]["says"] == f"at {read_files(MIGRATIONS)[-1].number}"
    assert shown["backlog"]["waiting"] == 0


async def test_not_ready_while_no_worker_beats(story: Story) -> None:
    answer = await story.at_the_door().get("/readyz")
    assert (answer.status_code, answer.json()["worker"]["says"]) == (503, "no worker has ever run")
    await story.run("INSERT INTO heartbeats VALUES ('worker', now() - interval '5 minutes')")
    answer = await story.at_the_door().get("/readyz")
    assert answer.status_code == 503
    assert 299 < answer.json()["worker"]["beat_age_s"] < 330


async def test_not_ready_while_evidence_waits_too_long_in_any_authority(story: Story) -> None:
    await well(story)
    await story.run(
        "INSERT INTO processing_queue (tenant_id, event_id)"
        " SELECT tenant_id, event_id FROM check_events WHERE tenant_id = 2"
    )
    story.clock.at = NOW.replace(minute=2, second=44)
    assert (await story.at_the_door().get("/readyz")).json()["backlog"]["oldest_age_s"] == 40
    assert (await story.at_the_door().get("/readyz")).status_code == 200
    story.clock.at += timedelta(seconds=21)
    answer = await story.at_the_door().get("/readyz")
    assert (answer.status_code, answer.json()["backlog"]["says"]) == (503, "the oldest waits 61 s")


async def test_a_row_that_failed_is_counted_and_holds_nobody_up(story: Story) -> None:
    await well(story)
    await story.run(
        "INSERT INTO processing_queue (tenant_id, event_id, tries, available_at)"
        " SELECT tenant_id, event_id, 3, now() FROM check_events WHERE tenant_id = 2"
    )
    answer = await story.at_the_door().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["backlog"]["put_off"] == 1
    assert "1 failed" in answer.json()["backlog"]["says"]
    assert (await metrics(story))["ecm_processing_put_off"] == 1


async def test_not_ready_while_a_page_does_not_get_through(story: Story) -> None:
    await well(story)
    await story.run(
        "UPDATE heartbeats SET details = details"
        " || jsonb_build_object('page_failing_at', now() - interval '20 minutes') WHERE process = 'worker 2'"
    )
    answer = await story.at_the_door().get("/readyz")
    assert (answer.status_code, answer.json()["alarms"]["ok"]) == (503, False)
    assert (await metrics(story))["ecm_pages_failing"] == 1
    await story.run("UPDATE heartbeats SET details = details || '{\"page_failing_at\": null}'")
    assert (await story.at_the_door().get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("proof", "says"),
    [
        ("'{}'", "no worker has proved yet"),
        (
            "jsonb_build_object('alarm_proved_at', now() - interval '130 seconds')",
            "nothing proved that an alarm",
        ),
    ],
)
async def test_not_ready_while_workers_beat_and_nothing_proves_that_an_alarm_would_ring(
    story: Story, proof: str, says: str
) -> None:
    await well(story)
    await story.run(f"UPDATE heartbeats SET details = {proof}")
    answer = await story.at_the_door().get("/readyz")
    assert (answer.status_code, answer.json()["worker"]["ok"], answer.json()["alarms"]["ok"]) == (
        503,
        True,
        False,
    )
    assert says in answer.json()["alarms"]["says"]
    read = await metrics(story)
    assert read["ecm_pages_failing"] == 0
    assert read.get("ecm_alarm_proof_age_seconds", 999) > 120


async def test_a_payment_run_that_failed_is_shown_and_wakes_nobody(story: Story) -> None:
    await well(story)
    await story.run(
        "UPDATE heartbeats SET details = details || jsonb_build_object('payment_failed_at', now() - interval '4 hours')"
    )
    answer = await story.at_the_door().get("/readyz")
    assert (answer.status_code, answer.json()["payments"]["ok"]) == (200, False)
    assert "payment run failed" in answer.json()["payments"]["says"]


async def test_not_ready_while_a_migration_is_missing(story: Story) -> None:
    await well(story)
    await story.run(
        "DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations)"
    )
    answer = await story.at_the_door().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"]["says"].endswith("run ecm migrate")


async def test_not_ready_while_the_database_is_away(story: Story) -> None:
    await story.web.close()
    story.web.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    answer = await story.at_the_door().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"]["ok"] is False
    assert (await metrics(story))["ecm_database_up"] == 0


async def test_prometheus_reads_the_backlog_and_the_worker(story: Story) -> None:
    await well(story)
    await story.run("INSERT INTO processing_queue (tenant_id, visit_id) VALUES (1, 1), (2, 3)")
    await story.run("INSERT INTO alert_queue (tenant_id, visit_id) VALUES (1, 1)")
    await story.run(
        "INSERT INTO deliveries (tenant_id, alert_id, about, channel, address, due_at)"
        " VALUES (1, 1, 'raised', 'email', 'desk@example.org', $1)",
        NOW - timedelta(seconds=30),
    )
    read = await metrics(story)
    assert read["ecm_database_up"] == 1
    assert read["ecm_processing_waiting"] == 2
    assert read["ecm_alerts_waiting"] == 1
    assert read["ecm_deliveries_late_seconds"] == 30
    assert read["ecm_worker_beat_age_seconds"] < 60


async def test_metrics_are_for_this_machine_unless_set_otherwise(story: Story) -> None:
    far = httpx.ASGITransport(story.app, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=far, base_url=ORIGIN) as outside:
        assert (await outside.get("/metrics")).status_code == 403
