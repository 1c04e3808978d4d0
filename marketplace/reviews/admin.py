"""Reviews in admin: everybody's words can be read, hidden with a reason, and never edited."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from marketplace.accounts.lean_admin import LeanAdmin
from marketplace.accounts.models import User
from marketplace.reviews.models import Review
from marketplace.reviews.services import hide_review
from orders.guards import Refused
from orders.operating import refuse_party

FIELDS = ("order", "author", "subject", "about", "rating", "text", "written_at", "visible_from", "counted_at")
HIDDEN = ("hidden_at", "hidden_by", "hidden_because")


class HideForm(forms.ModelForm):  # type: ignore[type-arg]
    """Saving it hides the review."""

    agent: User

    class Meta:
        model = Review
        fields = ["hidden_because"]
        labels = {"hidden_because": _("Hide it because")}
        help_texts = {"hidden_because": _("Both sides read it. The review leaves the ratings.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "hidden_because" in self.fields:
            self.fields["hidden_because"].required = True

    def clean(self) -> dict[str, Any]:
        try:
            refuse_party(self.instance.order, self.agent)
        except Refused as refused:
            raise ValidationError(str(refused)) from refused
        return self.cleaned_data


@admin.register(Review)
class ReviewAdmin(LeanAdmin):
    form = HideForm
    list_display = ["written_at", "order", "author", "subject", "about", "rating", "visible_from", "is_hidden"]
    list_filter = ["about", "rating", ("hidden_at", admin.EmptyFieldListFilter), "written_at"]
    list_select_related = ["order", "author", "subject"]
    search_fields = ["order__number", "author__name", "author__email", "subject__name", "subject__email", "text"]

    @admin.display(description=_("hidden"), boolean=True)
    def is_hidden(self, review: Review) -> bool:
        return review.hidden_at is not None

    def get_fields(self, request: HttpRequest, obj: Review | None = None) -> list[Any]:
        return [*FIELDS, *(HIDDEN if obj and obj.hidden_at else HIDDEN[-1:])]

    def get_readonly_fields(self, request: HttpRequest, obj: Review | None = None) -> list[Any]:
        return [*FIELDS, *(HIDDEN if obj and obj.hidden_at else ())]

    def get_form(self, request: HttpRequest, obj: Review | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.agent = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Review, form: HideForm, change: bool) -> None:
        assert isinstance(request.user, User)
        try:
            hidden = hide_review(obj, by=request.user, reason=form.cleaned_data["hidden_because"])
        except Refused as refused:
            # Somebody else was quicker.
            self.message_user(request, str(refused), messages.ERROR)
            return
        obj.__dict__.update(hidden.__dict__)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return f"Hidden: {form.cleaned_data['hidden_because']}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Review | None = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.hidden_at)

    def has_delete_permission(self, request: HttpRequest, obj: Review | None = None) -> bool:
        return False
