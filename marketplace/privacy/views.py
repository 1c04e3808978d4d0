"""The page "Your data": take a copy with you, close the account. Both ask who one is."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace import clock
from marketplace.accounts.proving import proof_required
from marketplace.accounts.requests import SignedInRequest
from marketplace.accounts.services import AccountError
from marketplace.privacy.closing import close, why_not_close
from marketplace.privacy.exporting import PARTS, export


@login_required
@require_safe
def your_data(request: SignedInRequest) -> HttpResponse:
    context = {"reasons": why_not_close(request.user), "parts": len(PARTS)}
    return render(request, "accounts/your_data.html", context)


@login_required
@require_POST
@proof_required
def download(request: SignedInRequest) -> HttpResponseBase:
    """The ZIP, made while it is sent, for whoever proved lately that it is theirs."""
    now = clock.now()
    name = f"{urlsplit(settings.SITE_URL).hostname}-{request.user.handle}-{now.date()}.zip"
    pieces = export(request.user, site=settings.SITE_NAME, address=settings.SITE_URL, at=now)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}  # of letters, digits, dots and hyphens
    return StreamingHttpResponse(pieces, content_type="application/zip", headers=headers)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@proof_required
def close_account(request: SignedInRequest) -> HttpResponse:
    """GET says what will happen, or what is in the way; POST does it (409 when refused), with the address typed."""
    reasons = why_not_close(request.user)
    typed = request.POST.get("email", "").strip().lower()
    wrong = request.method == "POST" and typed != request.user.email
    if request.method != "POST" or wrong or reasons:
        status = 409 if reasons and request.method == "POST" else 422 if wrong else 200
        return render(request, "accounts/close.html", {"reasons": reasons, "wrong": wrong}, status=status)
    try:
        close(request.user)
    except AccountError:
        return redirect("close_account")
    logout(request)
    messages.success(request, _("Your account is closed. Thank you for having been here."))
    return redirect("home")
