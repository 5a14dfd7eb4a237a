"""Jobs of Web Push, on the queue `default`."""

from myukm.domain.push import delivery
from myukm.domain.push import fan_out as fanning
from myukm.jobs import with_app_context


@with_app_context
def fan_out(ukm_id: int) -> int:
    """Decide which browsers are notified of news in the UKM; return how many."""
    return fanning.fan_out(ukm_id)


@with_app_context
def deliver() -> int:
    """Send notifications that are due; return how many push services accepted."""
    return delivery.deliver()
