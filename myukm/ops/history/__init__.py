"""The history of the queues: sampled by the leader, kept in the database, drawn by the page."""
