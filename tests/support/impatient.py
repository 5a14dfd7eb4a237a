"""The web server with a time-out of 2 s for uploads, because a test cannot wait ten minutes."""

import wsgi
from myukm.web.http import receiving

receiving.MAX_SECONDS = 2
app = wsgi.app
