"""Prometheus metrics. Labels are kinds, codes and states; never an id of a person or a text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry(auto_describe=True)

webhooks = Counter(
    "leadgate_webhooks_total", "Webhooks answered, by kind and outcome.", ("kind", "outcome"), registry=registry
)
webhook_seconds = Histogram(
    "leadgate_webhook_seconds",
    "Seconds from the last byte of a webhook to its answer.",
    ("kind",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5),
    registry=registry,
)
events = Counter("leadgate_events_total", "Events worked on, by end.", ("state",), registry=registry)
event_seconds = Histogram(
    "leadgate_event_seconds",
    "Seconds from an event on disk to the reply handed over.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 5, 30, 300),
    registry=registry,
)
attempts = Counter(
    "leadgate_delivery_attempts_total", "Attempts, by kind and outcome.", ("kind", "outcome"), registry=registry
)
refused_requests = Counter(
    "leadgate_refused_requests_total",
    "Requests and connections refused before they were read: by status, or `crowded` for one that made room.",
    ("reason",),
    registry=registry,
)
crashes = Counter(
    "leadgate_crashes_total", "Unexpected errors caught in a loop; each wants a human.", ("loop",), registry=registry
)
held_back = Counter(
    "leadgate_held_back_total",
    "Personal data that was masked on its way out, by place and kind.",
    ("place", "kind"),
    registry=registry,
)
watched = Counter(
    "leadgate_channel_checks_total",
    "Looks of the watchdog, by kind and what was found.",
    ("kind", "state"),
    registry=registry,
)
waiting = Gauge("leadgate_deliveries_waiting", "Deliveries that are not over.", registry=registry)
dead = Gauge("leadgate_deliveries_dead", "Dead letters.", registry=registry)
reconcile_differences = Gauge(
    "leadgate_reconcile_differences", "Differences that the last reconciliation found.", registry=registry
)
reconciled_at = Gauge(
    "leadgate_reconcile_last_success_timestamp_seconds",
    "When the last reconciliation that reached its end was over; 0 before the first.",
    registry=registry,
)
backup_made_at = Gauge(
    "leadgate_backup_timestamp_seconds", "When the newest backup was made; 0 before the first.", registry=registry
)
pending = Gauge("leadgate_events_pending", "Received events that nobody worked on yet.", registry=registry)
alerts_raised = Gauge("leadgate_alerts_raised", "Alarms that are raised now.", registry=registry)
alerts_unsent = Gauge(
    "leadgate_alerts_unsent", "Messages of alarms that an address has not taken yet.", registry=registry
)
