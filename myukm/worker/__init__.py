"""What `worker.py` runs: the supervisor, its processes, the RQ workers."""
