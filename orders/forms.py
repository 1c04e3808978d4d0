"""The forms of an order. Each binds only the fields it shows, and posts the version it was drawn from (O19)."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

import payments.services as payments
from marketplace.accounts.models import User
from marketplace.catalog.models import Terms
from orders import files
from payments.gateways import gateway
from payments.money import display
from payments.said import said


class ManyFilesInput(forms.FileInput):
    """A file input for several files; where JavaScript runs, with a list, limits and progress (static/upload.js)."""

    allow_multiple_selected = True
    template_name = "orders/_upload.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        most, largest = settings.UPLOAD_MAX_FILES, settings.UPLOAD_MAX_BYTES
        context["widget"] |= {
            "most": most,
            "largest": largest,
            "kinds": " ".join(files.ALLOWED),
            "too_many": ngettext("At most {n} file at once.", "At most {n} files at once.", most).format(n=most),
            "too_large": gettext("{name} is larger than {most}.").replace("{most}", filesizeformat(largest)),
        }
        context["widget"]["attrs"]["accept"] = ",".join(f".{kind}" for kind in files.ALLOWED)
        return context


class FilesField(forms.FileField):
    """Any number of files, each checked by size, name and content. Cleans to a list of `files.CheckedFile`."""

    widget = ManyFilesInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs.setdefault("label", _("Files"))
        kwargs.setdefault("help_text", _("Images, PDF, office and text files, audio, video or ZIP; up to 25 MB each."))
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[files.CheckedFile]:
        uploads: list[files.UploadedFile] = data if isinstance(data, list) else [data] if data else []
        return files.check_all(uploads)


class PlainText(forms.CharField):
    """Text that people write to each other; PostgreSQL stores no NUL, and says so too late."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if isinstance(text, str) and "\x00" in text:
            raise ValidationError(gettext("The text has a character that cannot be stored."))
        return text


class VersionedForm(forms.Form):
    """A form about an order as it was when the page was drawn."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)


class MethodField(forms.ChoiceField):
    """How to pay: the buyer's saved cards, then what the gateway in use accepts; the first one is chosen."""

    widget = forms.RadioSelect

    def __init__(self, *, payer: User, **kwargs: Any) -> None:
        saved = [
            (f"saved-{card.pk}", gettext("{card}, saved").format(card=said(card.label)))
            for card in payments.usable_cards(payer)
        ]
        methods = [
            (method.code, _card(said(method.label), said(method.explanation))) for method in gateway().payment_methods()
        ]
        choices = [*saved, *methods]
        super().__init__(label=_("Pay with"), choices=choices, initial=choices[0][0], **kwargs)


def _card(title: str, text: str) -> str:
    """A way to pay as a card to choose: what it is, and below what to know of it."""
    return format_html('<span class="choice__title">{}</span> <span class="choice__text">{}</span>', title, text)


class PaysForm(forms.Form):
    """What a form that begins a charge asks: the method, consent to keep the card (O3), and credit, if there is any."""

    keep_card = forms.BooleanField(
        required=False,
        label=_("Save this card for the next milestone"),
        help_text=_(
            "The payment provider keeps it. It is only ever charged when you pay, and you can remove it "
            "under Cards and credit."
        ),
    )

    def __init__(self, *args: Any, payer: User, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        credit = payments.balance(payer, currency, "credit")
        if credit:
            label = gettext("Use my credit of {amount} first").format(amount=display(credit, currency))
            self.fields["use_credit"] = forms.BooleanField(required=False, label=label)
        self.fields["method"] = MethodField(payer=payer)


class PayForm(PaysForm, VersionedForm):
    """Pay for a milestone of an order."""


class DeliverForm(VersionedForm):
    message = PlainText(
        label=_("What you deliver"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("A delivery is never edited or removed; delivering again replaces what is reviewed."),
    )
    files = FilesField()  # type: ignore[assignment]


class RevisionForm(VersionedForm):
    text = PlainText(label=_("What should change"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}))


class GrantForm(VersionedForm):
    count = forms.IntegerField(label=_("Extra revisions"), min_value=1, max_value=50, initial=1)


class MessageForm(forms.Form):
    """Posts how many messages of the writer the page showed, so that a double click sends one."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)
    text = PlainText(label=_("Message"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}))
    files = FilesField()  # type: ignore[assignment]


class AskForm(forms.Form):
    text = PlainText(
        label=_("What you need"),
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("The seller answers with an offer of their own: milestones, prices and dates."),
    )


class CheckoutForm(PaysForm):
    """Order a gig's plan as it stands: posts the plan's version and the terms that were shown (O19)."""

    gig_version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    terms = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    checkout = forms.CharField(widget=forms.HiddenInput, max_length=200)
    brief = PlainText(
        label=_("What the seller should know"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("You can also write later, on the order's page."),
    )


class OfferForm(forms.Form):
    buyer = forms.CharField(
        label=_("Buyer"), max_length=60, help_text=_("The buyer's handle: the last part of their page's address.")
    )
    title = forms.CharField(label=_("Title"), max_length=120)
    brief = PlainText(
        label=_("What you agreed"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    currency = forms.ChoiceField(label=_("Currency"))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**31 - 1)
    once = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)

    def __init__(self, *args: Any, seller: User, terms: Terms, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seller = seller
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(currency, currency) for currency in terms.currencies]

    def clean_buyer(self) -> User:
        handle = self.cleaned_data["buyer"].strip().lstrip("@").lower()
        buyer = User.objects.filter(handle=handle).first()
        # An offer that was sent can be changed while its buyer is deactivated: they may come back before it expires.
        if buyer is None or not (buyer.is_active or self.fields["buyer"].disabled):
            raise ValidationError(gettext("Nobody here has this handle."))
        if buyer == self.seller:
            raise ValidationError(gettext("Nobody buys from themselves."))
        return buyer
