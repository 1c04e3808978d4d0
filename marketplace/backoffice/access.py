"""Who may do what in the back office. `admin_view` lets in all staff, so every page asks for its permission itself."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from marketplace.accounts.models import User
from orders.guards import Refusal, Refused
from orders.models import Order
from orders.operating import refuse_party

RULE = "resolution.change_case"
WITHHOLD = "orders.change_attachment"
SEE_ORDER = "orders.view_order"
SEE_CASE = "resolution.view_case"
SEE_NOTES = "resolution.view_supportnote"

M = TypeVar("M", bound=Model)
View = Callable[..., HttpResponse]


def staff_page(admin: "ModelAdmin[Any]", view: View, *permissions: str) -> View:
    """A page for signed-in staff who have all of the permissions; other staff get 403."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perms(permissions):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return admin.admin_site.admin_view(checked)


def agent(request: HttpRequest) -> User:
    """The signed-in member of staff; every page of admin has one."""
    assert isinstance(request.user, User)
    return request.user


def why_not_for(order: Order, viewer: User) -> Refusal | None:
    """Why this agent rules on and acts for nobody in this order (R6); None when they may."""
    try:
        refuse_party(order, viewer)
    except Refused as refused:
        return refused.refusal
    return None


def find(rows: "QuerySet[M]", object_id: str) -> M:
    """The row that an address of admin names; admin's own pages take any text there."""
    if not object_id.isdecimal():
        raise Http404
    return get_object_or_404(rows, pk=int(object_id))
