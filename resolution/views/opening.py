"""Opening a case: the list of every kind, and the page of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.requests import SignedInRequest
from marketplace.catalog.plans import asked_change
from orders.guards import Refusal, Refused
from orders.locking import Stale
from orders.models import Order
from orders.views.acting import get_or_post, order_of
from resolution import services
from resolution.actions import OPENING, why_not_open
from resolution.models import Case
from resolution.pages import Draft, kind_context, list_context
from resolution.views.changes import changes_since

SHOW = "show"  # the button that shows what the case would do, before it is sent


@login_required
@require_safe
def cases(request: SignedInRequest, number: str) -> HttpResponse:
    """Every kind of case that the order could ever offer: possible for this side, or why not (P1)."""
    order = order_of(request, number)
    return render(request, "resolution/cases.html", list_context(order, request.user, clock.now()))


@login_required
@get_or_post
def open_case(request: SignedInRequest, number: str, kind: str) -> HttpResponse:
    """Open a case of one kind: what it does, what silence means, and every cent (R1, R2, R7).

    Refused (409) or with wrong input (422) the page is shown again with what was typed. The buttons of the plan and the
    one that shows what the case would do draw the page again and send nothing.
    """
    name = kind.replace("-", "_")
    if name not in OPENING or "_" in kind:
        raise Http404
    opening = Opening(request, order_of(request, number), request.user, name)
    built = opening.build(opening.open)
    if built.case is None:
        return opening.draw(built, changes_since(built.stale, built.order, request.user))
    done = _("The case is open.") if built.case.is_dispute else _("The proposal is open.")
    messages.success(request, done if built.case.is_pending else _("The case was accepted at once."))
    return redirect(built.case)


@dataclass(frozen=True)
class Built:
    """What came of a page that opens a case: the `case`, or what to show again of the `order` as it is now, and why."""

    order: Order
    draft: Draft | None
    case: Case | None = None
    refusal: Refusal | None = None
    stale: Stale | None = None
    show: bool = False
    status: int = 200


@dataclass(frozen=True)
class Opening:
    """The page on which `person`, one of the two sides, opens a case of one kind; support, who opens it for them, is
    asked for `more`."""

    request: HttpRequest
    order: Order
    person: User
    kind: str
    more: Mapping[str, forms.Field] = field(default_factory=dict)

    @property
    def side(self) -> str:
        return self.order.side_of(self.person)

    def build(self, do: Callable[[Draft], Case]) -> Built:
        """GET begins a draft, POST calls `do` with a valid one. `do` may raise `Stale` and `Refused`."""
        request, order, now = self.request, self.order, clock.now()
        refusal = why_not_open(order, self.kind, self.side, now)
        if request.method != "POST":
            blank = None if refusal else self._asked(Draft.blank(order, self.side, self.kind, now))
            return Built(order, blank, refusal=refusal)
        draft = self._asked(Draft.typed(order, self.side, self.kind, request.POST, request.FILES))
        valid = draft.is_valid()
        seen = draft.form.cleaned_data.get("version")
        # Kinds and reasons follow the order's state: a stale form is told so before its choices are judged.
        if seen and seen != order.version:
            return self.again(stale=Stale(order, seen))
        change = asked_change(request.POST) if draft.plan else ""
        if change:
            return Built(order, self._asked(Draft.again(order, self.side, self.kind, request.POST, change=change)))
        if refusal:
            return self.again(refusal)
        if not valid:
            return Built(order, draft, status=422)
        if SHOW in request.POST:
            return Built(order, draft, show=True)
        try:
            return Built(order, draft, do(draft))
        except Stale as stale:
            return self.again(stale=stale)
        except Refused as refused:
            return self.again(refused.refusal)

    def open(self, draft: Draft) -> Case:
        """Open what a valid draft says. Raises `Stale`, `Refused`."""
        data = draft.form.cleaned_data
        return services.open_case(
            self.order,
            by=self.person,
            kind=self.kind,
            reason=data["reason"],
            statement=data["statement"],
            asked=draft.form.asked(),
            files=data["files"],
            version=data["version"],
        )

    def again(self, refusal: Refusal | None = None, *, stale: Stale | None = None) -> Built:
        """Drawn anew for the order as it is now, with what was typed and without judging it."""
        order = Order.objects.whole().get(pk=self.order.pk)
        data = self.request.POST.copy()
        data["version"] = str(order.version)
        impossible = why_not_open(order, self.kind, self.side, clock.now())
        draft = None if impossible else self._asked(Draft.again(order, self.side, self.kind, data))
        return Built(order, draft, refusal=refusal or impossible, stale=stale, status=409)

    def draw(self, built: Built, changes: list[str], **frame: Any) -> HttpResponse:
        """`changes` says what made the form stale; `frame` is what the page says besides to support."""
        context = kind_context(built.order, self.kind, self.person, clock.now(), built.draft, show=built.show)
        context |= {
            "refusal": built.refusal,
            "stale": built.stale,
            "changes": changes,
            # What was typed is not lost when nothing can be sent any more.
            "typed": "" if built.draft else self.request.POST.get("statement", ""),
            "sent": self.request.method == "POST",
        }
        return render(self.request, "resolution/open_kind.html", context | frame, status=built.status)

    def _asked(self, draft: Draft) -> Draft:
        draft.form.fields.update(self.more)
        return draft
