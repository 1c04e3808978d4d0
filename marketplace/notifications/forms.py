"""The form of the preferences: per topic by e-mail and in the list."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.notifications.models import Preference
from marketplace.notifications.preferences import Wish
from marketplace.notifications.topics import ABOUT, Topic


class PreferencesForm(forms.Form):
    """A choice for each of `topics`, drawn from what the person wished so far."""

    def __init__(self, data: Any, *, topics: list[Topic], wishes: dict[str, Wish]) -> None:
        super().__init__(data)
        self.topics = topics
        for topic in topics:
            self.fields[f"{topic.value}-mail"] = forms.ChoiceField(
                label=_("By e-mail"),
                choices=Preference.ByMail.choices,
                widget=forms.RadioSelect,
                initial=wishes[topic.value].by_mail,
            )
            if ABOUT[topic].may_be_quiet:
                self.fields[f"{topic.value}-count"] = forms.BooleanField(
                    label=_("Count new ones as unread at the top of every page"),
                    required=False,
                    initial=not wishes[topic.value].quiet,
                )

    def rows(self) -> list[dict[str, object]]:
        """Each topic with its fields and what it is about."""
        return [
            {
                "topic": topic,
                "about": ABOUT[topic],
                "mail": self[f"{topic.value}-mail"],
                "count": self[f"{topic.value}-count"] if ABOUT[topic].may_be_quiet else None,
            }
            for topic in self.topics
        ]

    def wishes(self) -> dict[str, Wish]:
        """What was chosen; the form is valid."""
        return {topic.value: self._wish(topic) for topic in self.topics}

    def _wish(self, topic: Topic) -> Wish:
        counted = not ABOUT[topic].may_be_quiet or self.cleaned_data[f"{topic.value}-count"]
        return Wish(self.cleaned_data[f"{topic.value}-mail"], quiet=not counted)
