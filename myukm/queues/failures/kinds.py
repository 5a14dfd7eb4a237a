"""The kind of a failure: the job, the exception, and its message without names and numbers."""

import hashlib
import json
import re
from typing import NamedTuple

from myukm.queues.job_summaries import error_line

# Names, ids and numbers differ from job to job; the text between them is the error.
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\b|\b[0-9a-f]{16,}\b")
NUMBER = re.compile(r"(?<![A-Za-z_])\d+")
MAX_JOB = 100


class Kind(NamedTuple):
    """The function and the error that failures have in common."""

    job: str
    error: str

    @property
    def id(self) -> str:
        """A short name for URLs and commands."""
        text = json.dumps(self).encode()
        return hashlib.sha256(text).hexdigest()[:12]


OTHERS = Kind("", "")  # errors beyond `MAX_GROUPS`


def kind(description: str, trace: str) -> Kind:
    """Return the kind of a failure from the job's description, such as `ping()`, and its trace."""
    job = description.partition("(")[0].rpartition(".")[2]
    error = QUOTED.sub("'…'", error_line(trace))
    return Kind(job[:MAX_JOB], NUMBER.sub("#", ADDRESS.sub("#", error)))
