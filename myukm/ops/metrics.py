"""Prometheus metrics. They are read from Valkey and the database only, so every process on every
machine reports the same values."""

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from myukm.domain.sync import progress
from myukm.live import retention
from myukm.models.sync import LIVE
from myukm.ops import doctor, stats
from myukm.queues import counters
from myukm.queues.jobs import QUEUES

GAUGES = {
    "waiting": "Jobs that wait",
    "running": "Jobs at work",
    "workers": "Living workers that listen",
    "oldest_seconds": "Age of the oldest waiting job, 0 when none waits",
}
# Prometheus reserves the suffix "total" for counters, so the gauge is called "students".
RUN_GAUGES = {"total": "students"} | {
    key: key for key in ("pending", "success", "unchanged", "failed", "cancelled", "workers")
}


def text() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return generate_latest(registry)


class _Collector:
    def collect(self) -> Iterable[Metric]:
        """Yield all metrics that can be read; an unreachable server shows in `myukm_finding`."""
        report = doctor.report()
        yield from _findings(report)
        yield from _queues(stats.health())
        with contextlib.suppress(RedisError):
            yield from _job_counters()
        if doctor.database_is_away(report):
            return
        with contextlib.suppress(SQLAlchemyError):
            yield from _run(progress.current())
            yield from _event_log(retention.size())


def _queues(health: Mapping[str, Any]) -> Iterable[Metric]:
    for key, what in GAUGES.items():
        metric = GaugeMetricFamily(f"myukm_queue_{key}", what, labels=["queue"])
        for row in health["queues"]:
            metric.add_metric([row["name"]], row[key] or 0)
        yield metric


def _job_counters() -> Iterable[Metric]:
    metric = CounterMetricFamily("myukm_jobs", "Jobs that ended", labels=["queue", "outcome"])
    for name in QUEUES:
        ended = counters.totals(name)
        for outcome in ("finished", "failed"):
            metric.add_metric([name, outcome], ended.get(outcome, 0))
    yield metric


def _run(now: Mapping[str, Any]) -> Iterable[Metric]:
    yield GaugeMetricFamily("myukm_sync_live", "Whether a run lives", float(now["status"] in LIVE))
    yield GaugeMetricFamily("myukm_sync_stalled", "Whether it stalls", float(now["stalled"]))
    for key, name in RUN_GAUGES.items():
        yield GaugeMetricFamily(f"myukm_sync_{name}", f"The last run: {name}", now[key])


def _event_log(size: retention.Size) -> Iterable[Metric]:
    yield GaugeMetricFamily("myukm_event_log_events", "Events kept for streams", size.events)


def _findings(report: Mapping[str, Any]) -> Iterable[Metric]:
    metric = GaugeMetricFamily("myukm_finding", "What is wrong", labels=["code", "level"])
    for code, level in sorted({(each["code"], each["level"]) for each in report["findings"]}):
        metric.add_metric([code, level], 1)
    yield metric
