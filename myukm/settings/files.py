"""The setting `FILES_URL`: where uploaded files are stored."""

import re

from myukm.catalogue import N_
from myukm.logs.redaction import shown
from myukm.settings.reader import Reader
from myukm.settings.sources import INSTANCE

# Characters of the credentials that have a meaning in an address are percent-encoded (/ as %2F).
_BUCKET = r"s3://([^:@/?#\[\]\s]+:[^@/?#\[\]\s]+@)?[a-z0-9][a-z0-9.-]{1,62}(/[^?#]*)?"
_OPTION = r"(endpoint=https?://[^&#]+|region=[\w-]+)"
_FORM = rf"file:///[^?#]+|{_BUCKET}(\?{_OPTION}(&{_OPTION})?)?"


def files_url(env: Reader) -> str:
    """Return the address of the storage: a folder by its absolute path, or a bucket."""
    url = env.text("FILES_URL", f"file://{INSTANCE / 'files'}")
    if not re.fullmatch(_FORM, url):
        text = N_("%(url)s harus berbentuk file:///folder atau s3://ember?endpoint=https://…")
        raise env.wrong("FILES_URL", text, url=shown(url))
    return url
