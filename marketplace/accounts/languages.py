"""Which language a page speaks, and how a reader chooses it."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from marketplace.accounts.models import User


def language_of(request: HttpRequest, person: User | None) -> str:
    """What the person chose; else what this browser chose before (a cookie); else what it asks for."""
    chosen = person.language if person else ""
    return chosen if translation.check_for_language(chosen) else translation.get_language_from_request(request)


def remember(response: HttpResponseBase, language: str) -> None:
    """Keep the choice in this browser, for when nobody is signed in; "" forgets it."""
    if not language:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """The buttons below every page: the browser keeps the choice and, when signed in, so does the account.

    Goes back to the page it was asked from. An unknown language changes nothing.
    """
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language(request)
