"""Forms of the catalog: a gig (its plan is in `plans`), and the filters of the browse page."""

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from marketplace.catalog import covers
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.catalog.plans import MAX_DAYS
from payments import money


class GigForm(forms.Form):
    """A gig without its plan. A chosen cover is kept while the form is shown again: browsers cannot fill it in."""

    title = forms.CharField(max_length=120, label=_("Title"), help_text=_("What the buyer gets, in one line."))
    category = forms.ModelChoiceField(Category.objects.all(), label=_("Category"), empty_label=_("Choose a category"))
    description = forms.CharField(
        max_length=10_000,
        label=_("Description"),
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("What is included, what you need from the buyer, what you don’t do."),
    )
    cover = forms.FileField(
        required=False,
        label=_("Cover picture"),
        help_text=_("JPEG, PNG or WebP, at most 8 MB and 40 megapixels. Landscape looks best."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        max_length=200,
    )
    remove_cover = forms.BooleanField(required=False, label=_("Take the cover away"))
    currency = forms.ChoiceField(label=_("Currency"), help_text=_("All prices of this gig. Your earnings come in it."))
    kept_cover = forms.CharField(required=False, max_length=500, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: Any = None,
        *,
        terms: Terms,
        gig: Gig | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        self.gig = gig
        super().__init__(data, files, initial=(initial or {}) | (self._initial_of(gig) if gig else {}))
        if not gig:
            self.initial.setdefault("key", uuid.uuid4())
        self.fields["currency"].choices = [(code, code) for code in terms.currencies]  # type: ignore[attr-defined]

    @staticmethod
    def _initial_of(gig: Gig) -> dict[str, Any]:
        names = ("title", "description", "currency", "version")
        return {name: getattr(gig, name) for name in names} | {"category": gig.category_id}

    def clean_cover(self) -> str:
        """Stores the picture and answers with its name."""
        upload = self.cleaned_data["cover"]
        if not upload:
            return ""
        try:
            name = covers.keep(upload)
        except covers.InvalidCover as problem:
            raise ValidationError(str(problem), code="cover") from problem
        self._write(kept_cover=covers.ticket(name), remove_cover="")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        uploaded = cleaned.get("cover")
        if cleaned.get("remove_cover") and not uploaded:
            cleaned["cover_name"] = ""
            self._write(kept_cover="")
        else:
            cleaned["cover_name"] = uploaded or covers.kept(cleaned.get("kept_cover", "")) or None
        return cleaned

    def forget_errors(self) -> None:
        """Draw again what was typed without judging it yet; only a bad cover is told, because it is lost."""
        cover = self.errors.get("cover")
        self.errors.clear()
        if cover:
            self.errors["cover"] = cover

    def draw_from(self, gig: Gig) -> None:
        """Show again what was typed, to be saved over this newer version."""
        self._write(version=str(gig.version))

    @property
    def typed_currency(self) -> str | None:
        """The currency chosen so far, if it is one of those in use."""
        chosen = self["currency"].value()
        codes = [code for code, _ in self.fields["currency"].choices]  # type: ignore[attr-defined]
        return str(chosen) if chosen in codes else None

    @property
    def cover_url(self) -> str:
        """The cover that saving this form would leave on the gig."""
        kept = covers.kept(str(self["kept_cover"].value() or ""))
        if kept:
            return covers.address(kept)
        return self.gig.cover_url if self.gig and not self["remove_cover"].value() else ""

    def _write(self, **values: str) -> None:
        data = self.data.copy()  # type: ignore[attr-defined]
        for name, value in values.items():
            data[name] = value
        self.data = data


class BrowseForm(forms.Form):
    """What to show on the browse page. A value that makes no sense is told at its field and filters nothing."""

    quiet = True

    ORDERS = {
        "": _("Best match"),
        "new": _("Newest"),
        "rating": _("Best rated"),
        "price": _("Lowest price"),
        "-price": _("Highest price"),
        "fast": _("Fastest delivery"),
    }
    RATINGS = [("", _("Any")), ("4", _("4 stars and up")), ("4.5", _("4.5 stars and up"))]

    q = forms.CharField(
        required=False,
        max_length=200,
        label=_("Search"),
        widget=forms.TextInput(
            attrs={"type": "search", "autocomplete": "off", "placeholder": _("Logo, “explainer video”, website …")}
        ),
    )
    category = forms.ModelChoiceField(
        Category.objects.all(),
        required=False,
        to_field_name="slug",
        label=_("Category"),
        empty_label=_("All categories"),
    )
    currency = forms.ChoiceField(required=False, label=_("Currency"))
    least = forms.CharField(
        required=False, max_length=30, label=_("Price from"), widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    greatest = forms.CharField(
        required=False, max_length=30, label=_("Price to"), widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    days = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=20 * MAX_DAYS,
        label=_("Days at most"),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": _("Enter a whole number of days."), "min_value": _("At least 1 day.")},
    )
    rating = forms.ChoiceField(required=False, label=_("Rating"), choices=RATINGS)
    order = forms.ChoiceField(required=False, label=_("Sort by"), choices=list(ORDERS.items()))

    def __init__(self, data: Mapping[str, Any], *, terms: Terms) -> None:
        super().__init__(data)
        codes = [(code, code) for code in terms.currencies]
        self.fields["currency"].choices = [("", _("Any")), *codes]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("least", "greatest"):
            cleaned[name] = self._price(name)
        least, greatest = cleaned["least"], cleaned["greatest"]
        if least is not None and greatest is not None and greatest < least:
            self.add_error("greatest", gettext("This is below the price it starts from."))
        return cleaned

    def _price(self, name: str) -> int | None:
        typed, currency = self.cleaned_data.get(name), self.cleaned_data.get("currency")
        if not typed:
            return None
        if not currency:
            if "currency" not in self.errors:
                self.add_error("currency", gettext("Choose the currency of the prices."))
            return None
        try:
            return money.parse(typed, currency)
        except ValueError as problem:
            self.add_error(name, str(problem))
            return None
