"""A worker class of `worker.py` that begins no job of a paused queue."""

from flask import Flask
from rq.job import Job
from rq.queue import Queue
from rq.worker.base import BaseWorker

from myukm.domain import queue_pauses
from myukm.queues import pauses


class PausingWorker(BaseWorker):
    """Puts a job back among the waiting jobs if its queue was paused while the worker dequeued
    it."""

    queue_class = pauses.PausableQueue
    app: Flask

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job, unless its queue is paused."""
        if not self._is_paused(queue.name):
            super().execute_job(job, queue)
            return
        with self.connection.pipeline() as pipe:
            pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pauses.put_back(pipe, queue.name, job.id)
            pipe.execute()

    def _is_paused(self, name: str) -> bool:
        paused = pauses.is_paused(self.connection, name)
        if paused is None:  # Valkey has lost its data
            with self.app.app_context():
                paused = queue_pauses.restore_copy(name)
        return paused
