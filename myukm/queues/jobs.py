"""The queues and their jobs, named by dotted path so that nothing here imports them."""

from typing import NamedTuple

HIGH, DEFAULT, SYNC = "high", "default", "sync-pembayaran"
QUEUES = (HIGH, DEFAULT, SYNC)
# How long Valkey keeps the result of a finished job, and a failed job.
RESULT_SECONDS, FAILURE_SECONDS = 600, 7 * 86_400


class Job(NamedTuple):
    """The queue of a job and its timeout in seconds (None: the setting `SYNC_JOB_TIMEOUT`)."""

    queue: str
    timeout: int | None


JOBS: dict[str, Job] = {
    "myukm.jobs.chat.broadcast_chat_message": Job(HIGH, 30),
    "myukm.jobs.presence.broadcast_online_status": Job(DEFAULT, 30),
    "myukm.jobs.roster.advance_roster_import": Job(DEFAULT, 1800),
    "myukm.jobs.push.fan_out": Job(DEFAULT, 60),
    "myukm.jobs.push.deliver": Job(DEFAULT, 60),
    "myukm.jobs.exports.write_export": Job(DEFAULT, 1800),
    "myukm.jobs.upkeep.ping": Job(DEFAULT, 30),
    "myukm.jobs.sync_pembayaran.dispatch_sync_pembayaran": Job(SYNC, None),
    "myukm.jobs.sync_pembayaran.sync_pembayaran_lane": Job(SYNC, None),
    "myukm.jobs.sync_pembayaran.sync_pembayaran_siswa": Job(SYNC, None),
}
