"""Prometheus metrics. Except `myukm_build` they are read from Valkey and the database only, so
every process on every machine reports the same values."""

import contextlib
import platform
from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from myukm.domain.installation import code_version
from myukm.domain.sync import progress
from myukm.extensions import db
from myukm.live import retention
from myukm.models import SyncRun
from myukm.models.sync import LIVE
from myukm.ops import doctor, metric_families, process_registry, stats

GAUGES = {
    "waiting": "Jobs that wait",
    "running": "Jobs at work",
    "workers": "Living workers of the queue",
    "oldest_seconds": "Age of the oldest waiting job, 0 when none waits",
}
# Prometheus reserves the suffix "total" for counters, so the gauge is called "students".
RUN_GAUGES = {"total": "students"} | {
    key: key for key in ("pending", "success", "unchanged", "failed", "cancelled", "workers")
}
OUTCOMES = ("unchanged", "failed", "cancelled")


def text() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return generate_latest(registry)


class _Collector:
    def collect(self) -> Iterable[Metric]:
        """Yield all metrics that can be read; `myukm_finding` reports a database or a Valkey
        that cannot be reached."""
        report = doctor.report()
        yield _build()
        yield from _findings(report)
        yield from _queues(stats.health())
        with contextlib.suppress(RedisError):
            yield from metric_families.families()
            yield _streams()
        if not doctor.is_database_readable(report):
            return
        with contextlib.suppress(SQLAlchemyError):
            yield from _run(progress.current())
            yield _items()
            yield from _event_log(retention.size())


def _queues(health: Mapping[str, Any]) -> Iterable[Metric]:
    for key, what in GAUGES.items():
        metric = GaugeMetricFamily(f"myukm_queue_{key}", what, labels=["queue"])
        for row in health["queues"]:
            metric.add_metric([row["name"]], row[key] or 0)
        yield metric


def _run(run: Mapping[str, Any]) -> Iterable[Metric]:
    yield GaugeMetricFamily("myukm_sync_live", "Whether a run lives", float(run["status"] in LIVE))
    yield GaugeMetricFamily(
        "myukm_sync_stalled", "Whether the live run stalls", float(run["stalled"])
    )
    for key, name in RUN_GAUGES.items():
        yield GaugeMetricFamily(f"myukm_sync_{name}", f"The last run: {name}", run[key])


def _event_log(size: retention.Size) -> Iterable[Metric]:
    yield GaugeMetricFamily("myukm_event_log_events", "Events kept for streams", size.events)


def _findings(report: Mapping[str, Any]) -> Iterable[Metric]:
    metric = GaugeMetricFamily("myukm_finding", "Findings of the doctor", labels=["code", "level"])
    for code, level in sorted({(each["code"], each["level"]) for each in report["findings"]}):
        metric.add_metric([code, level], 1)
    yield metric


def _build() -> Metric:
    labels = {"version": code_version(), "python": platform.python_version()}
    return InfoMetricFamily("myukm_build", "The code of the process that answers", value=labels)


def _streams() -> Metric:
    return GaugeMetricFamily("myukm_streams", "Open streams", process_registry.open_streams())


def _items() -> Metric:
    """Return how many students of all runs ended in each outcome. It never decreases, because rows
    of runs are never deleted."""
    what = "Students that runs synced, without dry runs"
    metric = CounterMetricFamily("myukm_sync_items", what, labels=["outcome"])
    sums = select(
        func.sum(SyncRun.success - SyncRun.unchanged).label("changed"),
        *(func.sum(getattr(SyncRun, name)).label(name) for name in OUTCOMES),
    ).where(SyncRun.dry_run.is_(False))
    for outcome, count in db.session.execute(sums).one()._mapping.items():
        metric.add_metric([outcome], int(count or 0))
    return metric
