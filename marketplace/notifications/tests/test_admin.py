import pytest
from django.test import Client

from marketplace.accounts.models import User
from marketplace.notifications.tests.factories import NoticeFactory

pytestmark = pytest.mark.django_db


def test_staff_see_what_was_told_and_change_nothing(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root@example.org", name="Root"))
    notice = NoticeFactory(own_title="Theo delivered")
    assert "Theo delivered" in client.get("/admin/notifications/notice/", {"q": "theo"}).text
    address = f"/admin/notifications/notice/{notice.pk}"
    assert client.get(f"{address}/change/").status_code == 200
    assert client.post(f"{address}/change/", {"title": "forged"}).status_code == 403
    assert client.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    notice.refresh_from_db()
    assert notice.title == "Theo delivered"
