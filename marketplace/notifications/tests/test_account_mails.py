"""The mails about the account itself come in the same frame as all others, in text and HTML."""

import re

import html5lib
import pytest
from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from marketplace.accounts import services
from marketplace.accounts.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

SIGNUP = {"name": "Ana <b>", "password1": PASSWORD, "password2": PASSWORD, "time_zone": "Europe/Madrid"}


def test_every_mail_about_the_account_has_its_act_as_a_link_in_both_parts(settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    services.confirm_email(UserFactory(email="ana@example.org", password=PASSWORD))
    for address, data in (
        ("/accounts/password/reset/", {"email": "ana@example.org"}),
        ("/accounts/password/reset/", {"email": "no@example.org"}),
        ("/accounts/signup/", SIGNUP | {"email": "new@example.org"}),
        ("/accounts/signup/", SIGNUP | {"email": "ana@example.org"}),
    ):
        Client().post(address, data)
    said = [(message.to[0], message.subject) for message in mailbox.outbox]
    assert said == [
        ("ana@example.org", "Choose a new password"),
        ("no@example.org", "There is no account at Milepost with this address"),
        ("new@example.org", "Confirm your e-mail address"),
        ("ana@example.org", "You already have an account at Milepost"),
    ]
    labels = ["Choose a new password", "Join with this address", "Yes, it is mine", "Choose a new password"]
    for message, label in zip(mailbox.outbox, labels, strict=True):
        assert isinstance(message, EmailMultiAlternatives)
        [(html, kind)] = message.alternatives
        html5lib.HTMLParser(strict=True).parse(html)
        buttons = dict(map(reversed, re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', str(html))))
        [link] = re.findall(r"http://testserver\S+", str(message.body))
        assert (kind, buttons[label]) == ("text/html", link)
        assert message.body.endswith("-- \nMilepost")
        assert "<b>" not in f"{message.body}{html}"
