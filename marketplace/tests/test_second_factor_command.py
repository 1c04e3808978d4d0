"""The demo's staff and their second factor: a command tells its codes, and nobody else's."""

import re
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from marketplace.accounts import second_factor
from marketplace.accounts.tests.factories import StaffFactory
from marketplace.accounts.tests.signing_in import SECRET
from marketplace.demo import people
from marketplace.tests.visitor import Visitor

pytestmark = pytest.mark.django_db


def test_the_demos_staff_have_one_whose_code_a_command_tells() -> None:
    cast = people.settle_in()
    for person in (cast.support, cast.finance, cast.admin):
        said = StringIO()
        cache.clear()
        call_command("second_factor", person.email.upper(), stdout=said)
        codes = re.fullmatch(r"(\d{6})   for \d+ s more and for one sign-in; then (\d{6})\n", said.getvalue())
        assert codes
        visitor = Visitor()
        visitor.open("/admin/")
        visitor.press("Sign in", login=person.email, password=people.PASSWORD)
        assert visitor.press("Sign in", code=codes[1]).path in ("/admin/", "/accounts/2fa/authenticate/")
        assert visitor.page.path == "/admin/" or visitor.press("Sign in", code=codes[2]).path == "/admin/"


def test_the_command_tells_nobody_elses_code() -> None:
    second_factor.set_up(StaffFactory(email="real@example.org"), SECRET)
    StaffFactory(email="none@example.org")
    for email, reason in (
        ("real@example.org", "This person has no second factor of the demo, and no other is told."),
        ("none@example.org", "This person has no second factor of the demo, and no other is told."),
        ("nobody@example.org", "Nobody has this address."),
    ):
        with pytest.raises(CommandError, match=reason):
            call_command("second_factor", email)
