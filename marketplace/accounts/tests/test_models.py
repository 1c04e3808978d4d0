from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_in_lower_case() -> None:
    assert UserFactory(email=" Ana.Ruiz@Example.ORG ").email == "ana.ruiz@example.org"


def test_an_address_is_taken_in_any_case() -> None:
    UserFactory(email="ana@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory(email="ANA@example.org")
    assert User.objects.count() == 1


def test_the_database_refuses_an_address_in_another_case() -> None:
    UserFactory(email="ana@example.org")
    other = UserFactory()
    with pytest.raises(IntegrityError, match="one_account_per_email_in_any_case"), transaction.atomic():
        User.objects.filter(pk=other.pk).update(email="Ana@Example.org")


def test_a_person_is_found_by_their_address_in_any_case() -> None:
    ana = UserFactory(email="ana@example.org")
    assert User.objects.get_by_natural_key("ANA@Example.Org") == ana


@pytest.mark.parametrize(
    ("name", "handle"),
    [("Ana Ruíz", "ana-ruiz"), ("李小龍", "member"), ("  <b>Bo</b> ", "bbob"), ("x" * 80, "x" * 40)],
)
def test_a_handle_is_made_from_the_name(name: str, handle: str) -> None:
    assert UserFactory(name=name).handle == handle


def test_namesakes_get_different_handles() -> None:
    handles = [UserFactory(name="Ana Ruiz").handle for _ in range(3)]
    assert handles[0] == "ana-ruiz"
    assert [handle[:9] for handle in handles] == ["ana-ruiz", "ana-ruiz-", "ana-ruiz-"]
    assert len(set(handles)) == 3


def test_a_person_joins_at_the_clocks_instant() -> None:
    instant = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    with clock.at(instant):
        assert UserFactory().joined_at == instant


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "\0"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    person = UserFactory()
    person.time_zone = zone
    with pytest.raises(ValidationError) as refusal:
        person.full_clean()
    assert list(refusal.value.message_dict) == ["time_zone"]


def test_a_superuser_may_enter_the_administration() -> None:
    root = User.objects.create_superuser("root@example.org", "secret", name="Root")
    assert (root.is_staff, root.is_superuser, root.check_password("secret")) == (True, True, True)
