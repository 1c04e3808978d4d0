"""How a person is told: preferences, the address of the calendar, and stopping e-mails with one click."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts.models import User
from marketplace.accounts.requests import SignedInRequest
from marketplace.notifications.forms import PreferencesForm
from marketplace.notifications.models import CalendarFeed
from marketplace.notifications.preferences import (
    DIGEST,
    choose,
    read_stop_token,
    remove_calendar,
    renew_calendar,
    stop_mail,
    wishes_about,
)
from marketplace.notifications.topics import ABOUT, Topic, topics_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: SignedInRequest) -> HttpResponse:
    """What one wants to be told of by e-mail, and the address of one's calendar."""
    topics = topics_of(is_staff=request.user.is_staff)
    form = PreferencesForm(
        request.POST if request.method == "POST" else None, topics=topics, wishes=wishes_about(request.user)
    )
    if form.is_bound and form.is_valid():
        choose(request.user, form.wishes())
        messages.success(request, _("Your choices are saved."))
        return redirect("notifications:preferences")
    feed = CalendarFeed.objects.filter(owner=request.user).first()
    address = f"{settings.SITE_URL.rstrip('/')}{reverse('calendar_feed', args=[feed.token])}" if feed else ""
    context = {"form": form, "address": address, "webcal": f"webcal:{address.partition(':')[2]}" if feed else ""}
    return render(request, "notifications/preferences.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def calendar(request: SignedInRequest) -> HttpResponse:
    """Make the address of one's calendar, make it anew, or take it away."""
    if "remove" in request.POST:
        remove_calendar(request.user)
        messages.success(request, _("Your calendar has no address any more."))
    else:
        renew_calendar(request.user)
        messages.success(request, _("Your calendar has a new address. An older one finds nothing any more."))
    return redirect(f"{reverse('notifications:preferences')}#calendar")


@csrf_exempt  # RFC 8058: mail programs post here, without a session. The signature in the address says who.
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """Switch the e-mails of a topic off, without signing in: GET asks, POST does it, again changes nothing."""
    read = read_stop_token(token)
    if read is None:
        raise Http404
    person_id, what = read
    person = get_object_or_404(User, pk=person_id)
    if request.method == "POST":
        stop_mail(person, what)
    topic = None if what == DIGEST else Topic(what)
    context = {"topic": topic, "about": ABOUT[topic] if topic else None, "done": request.method == "POST"}
    return render(request, "notifications/stop.html", context)
