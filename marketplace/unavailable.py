"""What is answered when a page breaks: 503 while PostgreSQL is away, which is nobody's mistake, else 500."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.defaults import server_error

RETRY_AFTER = 10  # seconds
# Ends of connections that PostgreSQL names: shut down, crashed, not yet ready, no connection left.
GONE = ("08", "57P01", "57P02", "57P03", "53300")


def broken(request: HttpRequest) -> HttpResponse:
    """`handler500`: wherever it broke, in a view, a template or a middleware. Asks the database nothing."""
    error = sys.exc_info()[1]
    if error is None or not is_away(error):
        return server_error(request)
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})


def is_away(error: BaseException) -> bool:
    """Whether the connection to PostgreSQL ended or could not be made. Its own refusals, a deadlock too, are not that.

    What broke in a transaction whose connection had just ended counts as well, whatever Django makes of it.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, InterfaceError) or (isinstance(seen, OperationalError) and _says_so(seen)):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _says_so(error: OperationalError) -> bool:
    """Without a code it is libpq that speaks, and not the server."""
    state = getattr(error.__cause__, "sqlstate", "")
    return state is None or state.startswith(GONE)
