"""What support says: in a case to both sides, and to support itself. Both are in Django's log."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.models import User
from marketplace.backoffice.access import agent
from orders.files import CheckedFile
from orders.forms import FilesField, PlainText
from orders.models import Order
from orders.operating import refuse_party
from resolution.models import Case, SupportNote
from resolution.services import note_for_support, write_in_case


class WriteForm(forms.Form):
    """Posts how many messages of the writer the page showed, so that a double click sends one."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)
    text = PlainText(
        label=_("Message"),
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text=_("Both sides read it, as a message of Customer Support."),
    )
    files = FilesField()  # type: ignore[assignment]


class NoteForm(forms.Form):
    """Posts how many notes of the writer the page showed, as `WriteForm` does."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)
    text = PlainText(
        label=_("Note"),
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=_("Only support reads it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Beside the composer on the same page.
        super().__init__(*args, **{"auto_id": "id_note_%s", **kwargs})


def write(
    request: HttpRequest, admin: "ModelAdmin[Any]", case: Case, text: str, files: list[CheckedFile], seen: int | None
) -> HttpResponse:
    """Write to both sides as Customer Support, and go back to the case. Raises `Refused`, also for a party."""
    # Somebody who is a party writes on the order's own pages, under their own name.
    refuse_party(case.order, agent(request))
    message = write_in_case(case, by=agent(request), text=text, files=files, seen=seen)
    admin.log_change(request, case, gettext("Wrote to both sides: {text}").format(text=message.text))
    messages.success(request, gettext("Sent to both sides."))
    return HttpResponseRedirect(reverse("admin:resolution_case_change", args=[case.pk]) + "#said")


def note(
    request: HttpRequest, admin: "ModelAdmin[Any]", order: Order, case: Case | None, *, text: str, seen: int | None
) -> HttpResponse:
    """Write down what only support reads, and go back to the case or the order. Raises `Refused` for a party."""
    note_for_support(order, by=agent(request), text=text, case=case, seen=seen)
    subject, name = (case, "resolution_case_change") if case else (order, "orders_order_change")
    # Its text stays out of the log, which more people read than support.
    admin.log_change(request, subject, gettext("Noted something for support."))
    messages.success(request, gettext("Noted. Only support reads it."))
    return HttpResponseRedirect(reverse(f"admin:{name}", args=[subject.pk]) + "#notes")


def noted_by(person: User, notes: list[SupportNote] | None) -> int:
    """How many of the notes on the page are theirs."""
    return sum(note.author_id == person.pk for note in notes or [])
