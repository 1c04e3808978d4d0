"""Who may open what: staff with fewer rights get 403 from every custom address, and nobody can edit anything."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.backoffice.tests.conftest import agent, case_page, open_case, page, ruling
from orders import services
from orders.models import Order
from orders.tests.factories import checked_file, current, make_delivered, make_placed, statuses
from resolution.models import Case, CaseMessage, Reason, SupportNote
from resolution.tests.factories import opened, reason

pytestmark = pytest.mark.django_db(transaction=True)

TO_SIGN_IN = 302


def addresses() -> dict[str, str]:
    order = make_placed()
    services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file()])
    case = opened(make_delivered())
    return {
        "orders": "/admin/orders/order/",
        "an order": page(order),
        "its log": f"/admin/orders/order/{order.pk}/history/",
        "rule on it": ruling(order, "cancel_order"),
        "split it": ruling(order, "split"),
        "open a case": open_case(order),
        "withhold a file": f"/admin/orders/order/{order.pk}/files/{order.attachments.get().pk}/withhold/",
        "offer requests": "/admin/orders/offerrequest/",
        "cases": "/admin/resolution/case/",
        "a case": case_page(case),
        "rule on a case": case_page(case, "rule/complete"),
        "dismiss a case": case_page(case, "rule/dismiss"),
        "the next case": "/admin/resolution/case/next/",
        "reasons": "/admin/resolution/reason/",
        "a reason": f"/admin/resolution/reason/{reason().pk}/change/",
        "a new reason": "/admin/resolution/reason/add/",
        "people": "/admin/accounts/user/",
    }


RULINGS = ("rule on it", "split it", "rule on a case", "dismiss a case")
TABLE: dict[str, dict[str, int]] = {
    # address: anonymous, buyer, support, finance, looker, superuser
    name: dict(zip(("anonymous", "buyer", "support", "finance", "looker", "superuser"), row, strict=True))
    for name, row in {
        "orders": (302, 302, 200, 403, 200, 200),
        "an order": (302, 302, 200, 403, 200, 200),
        "its log": (302, 302, 200, 403, 200, 200),
        "rule on it": (302, 302, 200, 403, 403, 200),
        "split it": (302, 302, 200, 403, 403, 200),
        "open a case": (302, 302, 200, 403, 403, 200),
        "withhold a file": (302, 302, 200, 403, 403, 200),
        "offer requests": (302, 302, 200, 403, 200, 200),
        "cases": (302, 302, 200, 403, 200, 200),
        "a case": (302, 302, 200, 403, 200, 200),
        "rule on a case": (302, 302, 200, 403, 403, 200),
        "dismiss a case": (302, 302, 200, 403, 403, 200),
        # To the queue, because the case of these tests waits for the other side's answer.
        "the next case": (302, 302, 302, 403, 403, 302),
        "reasons": (302, 302, 200, 403, 200, 200),
        "a reason": (302, 302, 200, 403, 200, 200),
        "a new reason": (302, 302, 403, 403, 403, 200),
        "people": (302, 302, 403, 403, 403, 200),
    }.items()
}


def looker() -> User:
    """Staff who may look at everything of orders and cases and do nothing."""
    person = StaffFactory.create()
    seen = Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=["orders", "resolution"])
    person.user_permissions.set(seen)
    return person


def people(superuser: User) -> dict[str, User | None]:
    return {
        "anonymous": None,
        "buyer": UserFactory.create(),
        "support": agent(),
        "finance": agent("Finance"),
        "looker": looker(),
        "superuser": superuser,
    }


def test_each_page_opens_for_those_who_may(superuser: User) -> None:
    urls = addresses()
    found: dict[str, dict[str, int]] = {name: {} for name in urls}
    for role, person in people(superuser).items():
        client = Client()
        if person:
            client.force_login(person)
        for name, url in urls.items():
            found[name][role] = client.get(url).status_code
    assert found == TABLE


@pytest.mark.parametrize("role", ["anonymous", "buyer", "finance", "looker"])
def test_nobody_without_the_right_rules_or_withholds(superuser: User, role: str) -> None:
    urls = addresses()
    person = people(superuser)[role]
    client = Client()
    if person:
        client.force_login(person)
    before = [statuses(order) for order in Order.objects.order_by("pk")]
    posted = {"reason": reason().pk, "note": "No.", "version": "4", "confirm": "yes", "price": "1.00", "text": "No."}
    posted |= {"kind": "cancel_order", "statement": "No."}
    expected = TO_SIGN_IN if role in ("anonymous", "buyer") else 403
    case = Case.objects.get()
    said = (case_page(case, "write"), case_page(case, "note"), page(case.order).replace("change", "note"))
    acts = (*(urls[name] for name in (*RULINGS, "open a case", "withhold a file")), *said)
    assert {client.post(url, posted).status_code for url in acts} == {expected}
    assert (CaseMessage.objects.count(), SupportNote.objects.count()) == (0, 0)
    assert [statuses(order) for order in Order.objects.order_by("pk")] == before
    assert list(Case.objects.values_list("status", flat=True)) == ["open"]


@pytest.mark.parametrize("row", ["orders/order", "resolution/case"])
def test_not_even_a_superuser_adds_changes_or_deletes(client: Client, superuser: User, row: str) -> None:
    case = opened(make_delivered())
    client.force_login(superuser)
    pk = {"orders/order": case.order_id, "resolution/case": case.pk}[row]
    forged = {"status": "completed", "price": "1", "version": "99", "post": "yes"}
    tried = {
        verb: client.post(f"/admin/{row}/{verb}", forged).status_code
        for verb in ("add/", f"{pk}/change/", f"{pk}/delete/")
    }
    assert tried == {"add/": 403, f"{pk}/change/": 403, f"{pk}/delete/": 403}
    swept = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
    client.post(f"/admin/{row}/", swept)
    assert (statuses(case.order), Case.objects.get().status) == (
        ("active", ["delivered", "planned", "planned"]),
        "open",
    )


def test_what_an_order_consists_of_has_no_editor_at_all() -> None:
    """Milestones, deliveries, messages, files, events, pauses and reminders are shown on the order's page only."""
    registered = {f"{model._meta.label}" for model in admin.site._registry}
    assert {name for name in registered if name.startswith(("orders.", "resolution."))} == {
        "orders.Order",
        "orders.OfferRequest",
        "resolution.Case",
        "resolution.Reason",
    }


def test_lists_and_pages_offer_nothing_to_edit(client: Client, superuser: User) -> None:
    client.force_login(superuser)
    case = opened(make_delivered())
    for url in (page(case.order), case_page(case)):
        html = client.get(url).content.decode()
        assert ('name="status"' in html, "_save" in html, "deletelink" in html) == (False, False, False)
    actions = [
        [name for name, _ in client.get(f"/admin/{row}/").context["action_form"].fields["action"].choices]
        for row in ("orders/order", "resolution/case")
    ]
    assert actions == [["", "let_the_clock_try_again"]] * 2


@pytest.mark.parametrize("address", ["x", "0", "99999999999999999999999", "1x", "²"])
@pytest.mark.parametrize("what", ["change/", "rule/cancel_order/", "open-case/", "files/1/withhold/"])
def test_an_order_that_is_not_there_is_not_found(client: Client, support: User, address: str, what: str) -> None:
    client.force_login(support)
    assert client.get(f"/admin/orders/order/{address}/{what}").status_code == 404


def test_the_files_of_other_orders_and_rulings_that_are_none_are_not_found(client: Client, support: User) -> None:
    client.force_login(support)
    mine, other = make_placed(), make_delivered()
    services.deliver(current(other), by=other.seller, message="Again.", files=[checked_file()])
    url = f"/admin/orders/order/{mine.pk}/files/{other.attachments.get().pk}/withhold/"
    assert client.post(url, {"reason": "Wrong order."}).status_code == 404
    assert other.attachments.get().withheld_at is None
    case = opened(other)
    none = [ruling(mine, "dismiss"), ruling(mine, "charge"), case_page(case, "rule/accept")]
    assert [client.get(url).status_code for url in none] == [404, 404, 404]


class TestReasons:
    """R5: rows that can be edited, never deleted once cited."""

    def edit(self, client: Client, row: Reason, **changed: Any) -> Any:
        form = {
            "text": row.text,
            "cited_by_buyer": "on",
            "states": ["delivered"],
            "position": row.position,
            "is_active": "on",
        }
        return client.post(f"/admin/resolution/reason/{row.pk}/change/", form | changed)

    def test_a_reason_is_edited_but_not_its_code(self, client: Client, superuser: User) -> None:
        client.force_login(superuser)
        row = reason("unusable_files")
        changed = {"text": "Files that cannot be opened", "states": ["delivered", "between"], "code": "x"}
        answer = self.edit(client, row, **changed, in_proposals="on")
        assert answer.status_code == 302
        row.refresh_from_db()
        assert (row.text, row.states, row.code, row.cited_by_seller, row.in_disputes, row.in_proposals) == (
            "Files that cannot be opened",
            ["delivered", "between"],
            "unusable_files",
            False,
            False,
            True,
        )

    def test_a_reason_is_added(self, client: Client, superuser: User) -> None:
        client.force_login(superuser)
        form = {"code": "duplicate", "text": "Ordered twice", "states": ["in_progress"], "position": "20"}
        assert client.post("/admin/resolution/reason/add/", form).status_code == 302
        assert reason("duplicate").text == "Ordered twice"
        wrong = client.post("/admin/resolution/reason/add/", form | {"states": ["planned"], "code": "other"})
        assert next(iter(wrong.context["errors"])) == [
            "Select a valid choice. planned is not one of the available choices."
        ]

    def test_only_one_that_was_never_cited_and_is_not_the_clocks_is_deleted(
        self, client: Client, superuser: User
    ) -> None:
        client.force_login(superuser)
        opened(make_delivered(), code="not_as_described")
        tried = {
            code: client.post(f"/admin/resolution/reason/{reason(code).pk}/delete/", {"post": "yes"}).status_code
            for code in ("not_as_described", "cannot_deliver", "unusable_files")
        }
        assert tried == {"not_as_described": 403, "cannot_deliver": 403, "unusable_files": 302}
        client.post(
            "/admin/resolution/reason/",
            {"action": "delete_selected", "_selected_action": [reason("not_as_described").pk], "post": "yes"},
        )
        assert Reason.objects.count() == 15

    def test_citations_are_counted(self, client: Client, support: User) -> None:
        client.force_login(support)
        opened(make_delivered(), code="not_as_described")
        rows = client.get("/admin/resolution/reason/").context["cl"].result_list
        assert [(row.opened_with, row.ruled_with) for row in rows if row.code == "not_as_described"] == [(1, 0)]

    def test_a_reason_out_of_use_is_not_offered(self, client: Client, superuser: User) -> None:
        client.force_login(superuser)
        Reason.objects.exclude(code__in=["fraud_or_abuse", "more_time_needed"]).update(is_active=False)
        form = client.get(ruling(make_placed(), "cancel_order")).context["form"]
        assert [row.code for row in form.fields["reason"].queryset] == ["fraud_or_abuse"]
