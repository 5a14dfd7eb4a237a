"""Files that are too large for a request: a row each, written by a job, kept for a day."""
