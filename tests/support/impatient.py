"""The web server with little patience for uploads, so that a test need not wait for ten minutes."""

import wsgi
from myukm.web.http import receiving

receiving.SECONDS = 2
app = wsgi.app
