"""The parts of `worker.py`: supervisor, process main functions, RQ workers."""
