"""What the door counts. Labels hold no personal data and no tenant's name."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

_events = Counter("ecm_check_events", "Check events by what became of them.", ["outcome"])
events = {
    outcome: _events.labels(outcome) for outcome in ("created", "exists", "conflict", "refused", "rejected")
}
quarantined = Counter("ecm_quarantined", "Bodies kept aside, and bodies there was no room for.", ["kept"])
turned_away = Counter("ecm_check_events_turned_away", "Requests answered with a problem.", ["problem"])
commit_seconds = Histogram(
    "ecm_ingest_commit_seconds",
    "One batch, from the statement to its commit.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
batch_rows = Histogram(
    "ecm_ingest_batch_rows", "Events in one commit.", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
)
