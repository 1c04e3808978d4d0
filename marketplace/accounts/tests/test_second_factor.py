"""The second factor: staff cannot do without it, everybody else may, and none of it is a way around."""

import logging
import re
import time
from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from marketplace.accounts import second_factor, services
from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import PASSWORD, StaffFactory, UserFactory
from marketplace.accounts.tests.signing_in import SECRET, sign_in_by_password_alone, use_second_factor
from marketplace.tests.visitor import Page, Visitor

pytestmark = pytest.mark.django_db

WANTED = "/admin/accounts/user/"
INDEX, SET_UP, CODES, AGAIN, AT_SIGN_IN = (
    f"/accounts/2fa/{page}" for page in ("", "totp/activate/", "recovery-codes/", "reauthenticate/", "authenticate/")
)


def present_code(secret: str = SECRET) -> str:
    """As an app shows it; a moment before it changes, the next one, once that is there. Not the one just used."""
    cache.clear()
    if (left := 30 - time.time() % 30) < 2:
        time.sleep(left)
    return second_factor.code(secret, time.time())


def root(**details: str) -> User:
    """What `createsuperuser` makes."""
    return User.objects.create_superuser("root@example.org", PASSWORD, **{"name": "Root"} | details)


def by_password_alone(person: User) -> Visitor:
    visitor = Visitor()
    sign_in_by_password_alone(visitor.client, person, "django.contrib.auth.backends.ModelBackend")
    return visitor


def enter_password(visitor: Visitor, person: User) -> Page:
    visitor.open("/accounts/login/")
    return visitor.press("Sign in", login=person.email, password=PASSWORD)


def where(visitor: Visitor, address: str = WANTED) -> tuple[int, str]:
    page = visitor.open(address)
    return page.status, page.path


def recovery_codes_of(person: User) -> list[str]:
    codes: list[str] = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()
    return codes


def set_up(visitor: Visitor) -> Page:
    """From the page that explains it to the recovery codes, with the key that the page shows."""
    visitor.open(INDEX)
    page = visitor.follow("Set it up")
    if page.title == "Is it you?":
        page = visitor.press("Go on", password=PASSWORD)
    assert page.title == "Set up your second factor"
    return visitor.press("Set it up", code=present_code("".join(page.by_id("key").itertext())))


def test_the_first_superuser_is_led_to_set_it_up_and_on_to_what_they_wanted() -> None:
    person, visitor = root(), Visitor()
    visitor.open(WANTED)
    assert visitor.page.path == "/accounts/login/?next=/admin/accounts/user/"
    page = visitor.press("Sign in", login=person.email, password=PASSWORD)
    assert (page.path, page.title) == (INDEX, "Second factor")
    assert [words.partition(":")[0] for words in page.refusal] == ["You are staff"]
    page = set_up(visitor)
    assert page.words("li", inside=page.all(cls="codes")[0]) == recovery_codes_of(person)
    page = visitor.follow("Go on to the administration")
    assert (page.status, page.path) == (200, WANTED)


def test_the_page_of_the_qr_code_keeps_to_the_csp() -> None:
    visitor = by_password_alone(root())
    visitor.open(SET_UP)
    page = visitor.press("Go on", password=PASSWORD)
    drawn = page.all("{http://www.w3.org/2000/svg}path", inside=page.all(cls="qr")[0])
    assert [path.get("d", "").startswith("M4,4H5V5H4z") for path in drawn] == [True]
    secret = "".join(page.by_id("key").itertext())
    assert page.link("Open it in the app of this device") == (
        f"otpauth://totp/root%40example.org?secret={secret}&issuer=Milepost"
    )
    source = page.response.content.decode()
    assert re.findall(r"style=|<style|data:image|<script(?! src=)", source) == []
    assert page.response["Cache-Control"] == "no-store, private"


def test_staff_enter_a_code_to_sign_in_and_are_in_the_administration() -> None:
    person, visitor = StaffFactory(password=PASSWORD), Visitor()
    second_factor.set_up(person, SECRET)
    visitor.open("/admin/")
    page = visitor.press("Sign in", login=person.email, password=PASSWORD)
    assert (page.path, page.title) == (AT_SIGN_IN, "Your second factor")
    assert "_auth_user_id" not in visitor.client.session
    page = visitor.press("Sign in", code="000000" if present_code() != "000000" else "000001")
    assert page.problems == ["Code: Incorrect code."]
    assert "_auth_user_id" not in visitor.client.session
    page = visitor.press("Sign in", code=present_code())
    assert (page.status, page.path) == (200, "/admin/")


def test_a_code_signs_in_once() -> None:
    person = StaffFactory(password=PASSWORD)
    second_factor.set_up(person, SECRET)
    code = present_code()
    answers = []
    for visitor in (Visitor(), Visitor()):
        enter_password(visitor, person)
        answers.append(visitor.press("Sign in", code=code).path)
    assert answers == ["/orders/", AT_SIGN_IN]


def test_guessing_codes_is_limited(settings: Settings) -> None:
    default = settings.CACHES["default"]
    settings.CACHES = {"default": default | {"LOCATION": f"{default['LOCATION']}?db=9"}}  # which no other test empties
    cache.clear()
    person, visitor = StaffFactory(password=PASSWORD), Visitor()
    second_factor.set_up(person, SECRET)
    enter_password(visitor, person)
    wrong = "000000" if second_factor.code(SECRET, time.time()) != "000000" else "000001"
    told = [visitor.press("Sign in", code=wrong).problems for _ in range(11)]
    assert told[0] == ["Code: Incorrect code."]
    assert told[-1] == ["Code: Too many failed login attempts. Try again later."]
    assert visitor.press("Sign in", code=second_factor.code(SECRET, time.time())).problems == told[-1]


def test_a_session_without_it_is_asked_for_it_and_led_on() -> None:
    person = StaffFactory(is_superuser=True)
    second_factor.set_up(person, SECRET)
    visitor = by_password_alone(person)
    page = visitor.open(WANTED)
    assert (page.path, page.title) == (f"{AGAIN}?next=/admin/accounts/user/", "Is it you?")
    page = visitor.press("Go on", code=present_code())
    assert (page.status, page.path) == (200, WANTED)


def test_the_password_alone_opens_nothing_for_who_has_a_second_factor() -> None:
    """Neither the recovery codes, nor the removal that would let them set up an app of their own."""
    person = StaffFactory(password=PASSWORD)
    second_factor.set_up(person, SECRET)
    visitor = by_password_alone(person)
    for page in (CODES + "generate/", INDEX + "totp/deactivate/"):
        assert visitor.open(page).path == f"{AGAIN}?{urlencode({'next': page})}"
    assert visitor.open("/accounts/reauthenticate/").path == AGAIN
    visitor.post("/accounts/reauthenticate/", {"password": PASSWORD})
    visitor.post(INDEX + "totp/deactivate/", {})
    assert where(visitor, "/admin/") == (200, f"{AGAIN}?next=/admin/")
    assert Authenticator.objects.filter(user=person).count() == 1


def test_admins_own_login_takes_no_password(client: Client) -> None:
    person = root()
    answer = client.post("/admin/login/", {"username": person.email, "password": PASSWORD, "next": "/admin/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/admin/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_admins_login_leads_to_no_other_site(client: Client, target: str) -> None:
    assert client.get("/admin/login/", {"next": target})["Location"] == "/accounts/login/?next=/admin/"
    client.force_login(StaffFactory())
    assert client.get("/admin/login/", {"next": target})["Location"] == "/admin/"


def test_people_who_are_not_staff_are_told_so(client: Client) -> None:
    person = UserFactory()
    client.force_login(person)
    use_second_factor(client, person)
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "The administration is for staff." in answer.text


def test_no_page_of_admin_opens_without_it() -> None:
    visitor = by_password_alone(root())
    for address in (
        "/admin/",
        "/admin/jsi18n/",
        "/admin/autocomplete/",
        "/admin/password_change/",
        "/admin/r/1/1/",
        "/admin/orders/order/1/change/",
        "/admin/resolution/case/",
        "/admin/payments/document/export/",
        "/admin/nothing/of/the/kind/",
    ):
        for answer in (visitor.client.get(address), visitor.client.post(address)):
            assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={address}")


def test_what_is_removed_no_longer_counts_as_used(client: Client) -> None:
    person, other = StaffFactory(name="Bo", is_superuser=True), root()
    client.force_login(person)
    assert client.get("/admin/").status_code == 200
    services.remove_second_factor(person, by=other)
    assert client.get("/admin/", follow=True).redirect_chain[-1] == (INDEX, 302)
    second_factor.set_up(person, SECRET)  # elsewhere
    assert client.get("/admin/", follow=True).redirect_chain[-1] == (f"{AGAIN}?next=/admin/", 302)


def test_who_lost_the_phone_signs_in_by_a_recovery_code_and_sets_up_a_new_one() -> None:
    person, visitor = root(), Visitor()
    enter_password(visitor, person)
    set_up(visitor)
    code = recovery_codes_of(person)[3]
    lost = Visitor()
    enter_password(lost, person)
    assert lost.press("Sign in", code=code).path == "/orders/"
    assert where(lost) == (200, WANTED)
    again = Visitor()
    enter_password(again, person)
    assert again.press("Sign in", code=code).problems == ["Code: Incorrect code."]

    lost.open(INDEX)
    lost.follow("Remove it")
    page = lost.press("Go on", code=recovery_codes_of(person)[0])
    assert page.refusal == ["You are staff: the administration stays closed to you until you have set up a new one."]
    assert lost.press("Remove it").told == ["Your second factor is removed."]
    assert not Authenticator.objects.exists()
    assert where(lost) == (200, INDEX)
    set_up(lost)
    assert lost.follow("Go on to the administration").path == WANTED
    assert where(visitor)[1].startswith(AGAIN)  # the other session proved only the one that is gone


def test_everybody_may_have_one_and_new_recovery_codes() -> None:
    person, visitor = UserFactory(password=PASSWORD), Visitor()
    enter_password(visitor, person)
    visitor.open("/profile/")
    visitor.follow("A code from your phone")
    assert visitor.page.refusal == []
    set_up(visitor)
    first = recovery_codes_of(person)
    visitor.follow("Make new ones")
    page = visitor.press("Make them")
    assert len(set(recovery_codes_of(person)) | set(first)) == 20
    assert page.words("li", inside=page.all(cls="codes")[0]) == recovery_codes_of(person)
    assert enter_password(Visitor(), person).path == AT_SIGN_IN


def test_it_waits_for_a_confirmed_address() -> None:
    """Or else somebody could shut out the owner of an address that is not theirs."""
    person = UserFactory(password=PASSWORD)
    EmailAddress.objects.create(user=person, email=person.email, primary=True, verified=False)
    visitor = by_password_alone(person)
    page = visitor.open(SET_UP)
    assert (page.path, page.told) == (INDEX, ["Confirm your e-mail address first, so that nobody locks out its owner."])


def test_a_superuser_removes_that_of_somebody_else_and_it_is_logged(client: Client) -> None:
    person, other = root(), StaffFactory(name="Bo")
    second_factor.set_up(other, SECRET)
    client.force_login(person)
    action = {"action": "remove_second_factor", "_selected_action": [person.pk, other.pk]}
    answer = client.post(WANTED, action, follow=True)
    assert sorted(str(message) for message in answer.context["messages"]) == [
        "Bo was left without a second factor.",
        "Root: Nobody removes their own second factor here: go to your profile.",
    ]
    assert (second_factor.is_set_up(person), second_factor.is_set_up(other)) == (True, False)
    assert [(entry.object_id, entry.change_message) for entry in LogEntry.objects.all()] == [
        (str(other.pk), "The account was left without a second factor.")
    ]
    assert services.remove_second_factor(other, by=person) is False


def test_only_superusers_remove_one(client: Client) -> None:
    agent, ana = StaffFactory(), UserFactory()
    agent.groups.add(Group.objects.get(name="Support"))
    second_factor.set_up(ana, SECRET)
    with pytest.raises(services.AccountError, match="Only a superuser removes the second factor of somebody"):
        services.remove_second_factor(ana, by=agent)
    client.force_login(agent)
    client.post(WANTED, {"action": "remove_second_factor", "_selected_action": [ana.pk]})
    assert second_factor.is_set_up(ana) is True
    assert client.get("/admin/mfa/authenticator/").status_code == 404  # nor anywhere else


def test_secrets_are_encrypted_at_rest_and_survive_a_new_secret_key(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    person = StaffFactory()
    kept = second_factor.set_up(person, SECRET).data["secret"]
    assert SECRET not in kept
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another one, as long and as random"
    with caplog.at_level(logging.ERROR):
        unknown = {second_factor.secret_of(person) for _ in range(2)}
    assert len(unknown) == 2
    assert SECRET not in unknown
    assert {record.getMessage() for record in caplog.records} == {
        "A second factor was encrypted with another SECRET_KEY: see SECRET_KEY_FALLBACKS"
    }
    settings.SECRET_KEY_FALLBACKS = [former]
    assert second_factor.secret_of(person) == SECRET
