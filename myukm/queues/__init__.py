"""All that knows RQ's keys: enqueueing, restricted jobs, workers, counters."""
