"""The form of a review."""

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.reviews.models import TEXT_LENGTH
from orders.forms import PlainText, VersionedForm

STARS = (
    (5, _("Excellent")),
    (4, _("Good")),
    (3, _("All right")),
    (2, _("Disappointing")),
    (1, _("Bad")),
)


class ReviewForm(VersionedForm):
    rating = forms.TypedChoiceField(
        label=_("Stars"),
        choices=STARS,
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose from one to five stars.")},
    )
    text = PlainText(
        label=_("In your words"),
        required=False,
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
