"""Failed jobs, grouped by their error: an index, and retrying or discarding many of them."""
