"""The forms of cases. Each posts the version of the order that it was drawn from (O19)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from orders.actions import Action
from orders.forms import FilesField, PlainText, VersionedForm
from orders.models import Order
from resolution.actions import OPENING
from resolution.models import Case, Reason


class CaseForm(VersionedForm):
    """Open a case: a kind that is possible now, a reason that this side may cite now, and what happened."""

    kind = forms.ChoiceField(label="What should happen", choices=list(OPENING.items()), widget=forms.RadioSelect)
    reason = forms.ModelChoiceField(Reason.objects.none(), label="Reason", empty_label="Choose a reason")
    statement = PlainText(
        label="What happened",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="The other side reads this, and Customer Support if it comes to that.",
    )
    files = FilesField()  # type: ignore[assignment]

    def __init__(self, *args: Any, order: Order, side: str, kinds: list[Action], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = {action.name: action for action in kinds}
        reasons = self.fields["reason"]
        assert isinstance(reasons, forms.ModelChoiceField)
        reasons.queryset = Reason.objects.citable(side, order.open_milestone, Case.Kind.CANCEL_MILESTONE)
        reasons.error_messages["invalid_choice"] = "This reason cannot be given now. Please choose another."
        allowed = [action.name for action in kinds if action.allowed]
        if len(allowed) == 1:
            self.fields["kind"].initial = allowed[0]

    def clean_kind(self) -> str:
        kind: str = self.cleaned_data["kind"]
        if not self.kinds[kind].allowed:
            raise ValidationError(self.kinds[kind].reason)
        return kind


class AcceptForm(VersionedForm):
    text = PlainText(label="Answer", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}))


class DeclineForm(VersionedForm):
    text = PlainText(
        label="Why you decline",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The other side reads this, and Customer Support if it comes to that.",
    )


class EscalateForm(VersionedForm):
    text = PlainText(
        label="What Customer Support should know",
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The other side reads this too.",
    )
