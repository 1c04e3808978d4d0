"""The forms of cases. Each posts the version of the order that it was drawn from (O19)."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.catalog.plans import MAX_DAYS, MAX_REVISIONS, PlannedMilestone
from orders.forms import FilesField, MessageForm, PlainText, VersionedForm
from orders.models import Order
from orders.services import why_not_part
from payments import money
from resolution.models import NOTHING_MORE, Asked, Case, Reason
from resolution.models.choices import PROPOSALS

BOTH_READ = _("The other side reads this, and Customer Support if it comes to that.")


class OpenForm(VersionedForm):
    """Open a case: a reason that this side may cite now in this kind (R5), what happened, and evidence."""

    reason = forms.ModelChoiceField(Reason.objects.none(), label=_("Reason"), empty_label=_("Choose a reason"))
    statement = PlainText(
        label=_("What happened"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 5}), help_text=BOTH_READ
    )
    files = FilesField(label=_("Evidence"))  # type: ignore[assignment]

    def __init__(self, *args: Any, order: Order, side: str, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order = order
        if kind in PROPOSALS:
            # Customer Support decides no proposal (R6).
            statement = self.fields["statement"]
            statement.label, statement.help_text = _("Why"), _("The other side reads this.")
        reasons = self.fields["reason"]
        assert isinstance(reasons, forms.ModelChoiceField)
        reasons.queryset = Reason.objects.citable(side, order.open_milestone, kind)
        reasons.error_messages["invalid_choice"] = _("This reason cannot be given now. Please choose another.")

    def asked(self) -> Asked:
        """What a valid form asks for besides its kind."""
        return NOTHING_MORE


class PartialRefundForm(OpenForm):
    """A part of the price, typed as money in the order's currency."""

    amount = forms.CharField(
        max_length=30,
        label=_("How much of the price goes back"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter an amount.")},
    )
    field_order = ("version", "amount", "reason", "statement", "files")

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, order=order, **kwargs)
        of_fee = gettext("In {currency}. The buyer's fee on this part goes back with it.")
        self.fields["amount"].help_text = of_fee.format(currency=order.currency)

    def clean_amount(self) -> int:
        try:
            amount = money.parse(self.cleaned_data["amount"], self.order.currency)
        except ValueError as problem:
            raise ValidationError(str(problem)) from problem
        milestone = self.order.open_milestone
        refusal = why_not_part(milestone, amount) if milestone else None
        if refusal:
            raise ValidationError(refusal.reason)
        return amount

    def asked(self) -> Asked:
        return Asked(amount=self.cleaned_data["amount"])


class ExtendForm(OpenForm):
    days = forms.IntegerField(
        label=_("How many days more"),
        min_value=1,
        max_value=MAX_DAYS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": _("Enter a number of days."),
            "invalid": _("Enter a whole number of days."),
            "min_value": _("At least 1 day."),
            "max_value": _("At most %(limit_value)d days."),
        },
    )
    field_order = ("version", "days", "reason", "statement", "files")

    def asked(self) -> Asked:
        return Asked(days=self.cleaned_data["days"])


class ExtraRevisionsForm(OpenForm):
    revisions = forms.IntegerField(
        label=_("How many revisions more"),
        min_value=1,
        max_value=MAX_REVISIONS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": _("Enter a number of revisions."),
            "invalid": _("Enter a whole number of revisions."),
            "min_value": _("At least 1 revision."),
            "max_value": _("At most %(limit_value)d revisions."),
        },
    )
    field_order = ("version", "revisions", "reason", "statement", "files")

    def asked(self) -> Asked:
        return Asked(revisions=self.cleaned_data["revisions"])


class ChangeUpcomingForm(OpenForm):
    """Around a plan's rows. All may be dropped while a milestone is under way."""

    drop_all = forms.BooleanField(required=False, label=_("Drop all upcoming milestones: the order ends with this one"))
    field_order = ("version", "drop_all", "reason", "statement", "files")

    def __init__(self, *args: Any, order: Order, **kwargs: Any) -> None:
        super().__init__(*args, order=order, **kwargs)
        self.upcoming: list[PlannedMilestone] = []
        if order.current is None or order.next_milestone is None:
            del self.fields["drop_all"]

    def asked(self) -> Asked:
        return Asked(upcoming=self.upcoming)


OPENING_FORMS: dict[str, type[OpenForm]] = {
    Case.Kind.CANCEL_MILESTONE: OpenForm,
    Case.Kind.CANCEL_ORDER: OpenForm,
    Case.Kind.PARTIAL_REFUND: PartialRefundForm,
    Case.Kind.EXTEND: ExtendForm,
    Case.Kind.EXTRA_REVISIONS: ExtraRevisionsForm,
    Case.Kind.CHANGE_UPCOMING: ChangeUpcomingForm,
}


class AcceptForm(VersionedForm):
    text = PlainText(label=_("Answer"), required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}))


class DeclineForm(VersionedForm):
    text = PlainText(
        label=_("Why you decline"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}), help_text=BOTH_READ
    )
    files = FilesField(label=_("Evidence"))  # type: ignore[assignment]


class EscalateForm(VersionedForm):
    text = PlainText(
        label=_("What Customer Support should know"),
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The other side reads this too."),
    )
    files = FilesField(label=_("Evidence"))  # type: ignore[assignment]


class CaseMessageForm(MessageForm):
    """As the order's, with a case's shorter text."""

    text = PlainText(label=_("Message"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}))
