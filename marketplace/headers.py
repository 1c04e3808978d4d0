"""What goes with every response, whichever page or middleware made it: the first of the middlewares."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

# What a browser could lend to a page, and no page of ours asks for: not the one with the payment script either, where
# a card is typed. Only names that browsers know: of others they complain on every page.
LENT = (
    "accelerometer autoplay browsing-topics camera display-capture encrypted-media gamepad geolocation "
    "gyroscope hid identity-credentials-get idle-detection local-fonts magnetometer microphone midi otp-credentials "
    "payment picture-in-picture publickey-credentials-create publickey-credentials-get screen-wake-lock serial "
    "storage-access sync-xhr usb window-management xr-spatial-tracking"
)
PERMISSIONS = ", ".join(f"{name}=()" for name in LENT.split())


def headers(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Lend nothing of the browser's, load nowhere else, and keep what is personal out of every cache.

    Personal is what answers somebody with a session, what sets a cookie other than that of forms (which every page
    sets), and every error; unless the view or the server of static files said how long it may be kept.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # Django's own middleware comes too late for what those before it refuse.
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        personal = has_session or response.status_code >= 400 or response.cookies.keys() - {settings.CSRF_COOKIE_NAME}
        if personal and not response.has_header("Cache-Control"):
            patch_cache_control(response, no_store=True, private=True)
        return response

    return middleware
