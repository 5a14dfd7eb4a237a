"""Metrics that processes count themselves: job and request times, requests to the payment API,
events of the streams, starts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from myukm import instruments
from myukm.extensions import valkey
from myukm.instruments import COUNT, HTTP_BOUNDS, MILLISECONDS, Labels
from myukm.ops import process_registry
from myukm.queues import counters
from myukm.queues.jobs import QUEUES

JOB_TIMES = {counters.WAIT: "Seconds that jobs waited", counters.RUN: "Seconds that jobs ran"}


def families() -> Iterable[Metric]:
    """Yield the metrics, added up over all processes. Raises `RedisError`."""
    totals = counters.totals(QUEUES)
    yield _ended_jobs(totals)
    for kind, what in JOB_TIMES.items():
        yield _job_times(kind, what, totals)
    counted = instruments.totals(valkey())
    yield _http(counted.get(instruments.HTTP, {}))
    yield _api(counted.get(instruments.API, {}))
    yield _events(counted)
    yield _starts()


def _ended_jobs(totals: Mapping[str, Mapping[str, int]]) -> Metric:
    metric = CounterMetricFamily("myukm_jobs", "Jobs that ended", labels=["queue", "outcome"])
    for queue, ended in totals.items():
        for outcome in ("finished", "failed"):
            metric.add_metric([queue, outcome], ended.get(outcome, 0))
    return metric


def _job_times(kind: str, what: str, totals: Mapping[str, Mapping[str, int]]) -> Metric:
    metric = HistogramMetricFamily(f"myukm_job_{kind}_seconds", what, labels=["queue"])
    for queue, ended in totals.items():
        counts = counters.histogram(ended, kind)
        seconds = ended.get(f"{kind}_ms", 0) / 1000
        metric.add_metric([queue], _buckets(counters.BOUNDS, counts), seconds)
    return metric


def _http(counted: Mapping[Labels, Mapping[str, int]]) -> Metric:
    metric = HistogramMetricFamily(
        "myukm_http_request_seconds",
        "Seconds of HTTP requests, of a stream until its first bytes",
        labels=["method", "route", "status"],
    )
    for labels, values in sorted(counted.items()):
        counts = [values.get(str(index), 0) for index in range(len(HTTP_BOUNDS) + 1)]
        seconds = values.get(MILLISECONDS, 0) / 1000
        metric.add_metric(labels, _buckets(HTTP_BOUNDS, counts), seconds)
    return metric


def _api(counted: Mapping[Labels, Mapping[str, int]]) -> Metric:
    what = "Requests to the payment API; status is HTTP's, or why there was none"
    metric = CounterMetricFamily("myukm_api_requests", what, labels=["status"])
    for labels, values in sorted(counted.items()):
        metric.add_metric(labels, values.get(COUNT, 0))
    return metric


def _events(counted: Mapping[str, Mapping[Labels, Mapping[str, int]]]) -> Metric:
    what = "Events sent to streams; dropped: with a stream that was closed because it lagged"
    metric = CounterMetricFamily("myukm_stream_events", what, labels=["outcome"])
    for outcome, name in (("sent", instruments.SENT), ("dropped", instruments.DROPPED)):
        metric.add_metric([outcome], counted.get(name, {}).get((), {}).get(COUNT, 0))
    return metric


def _starts() -> Metric:
    what = "Processes that started; role is web, worker, or the queue that it works on"
    metric = CounterMetricFamily("myukm_process_starts", what, labels=["role"])
    for role, count in sorted(process_registry.start_totals().items()):
        metric.add_metric([role], count)
    return metric


def _buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return cumulative buckets in Prometheus' form: upper bound as text, number of values."""
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, map(float, accumulate(counts)), strict=True))
