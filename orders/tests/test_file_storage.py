"""Upload, preview, download, withhold and forget, each over the folder and over S3's API against a real peer."""

import runpy
import time
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from PIL import Image

from marketplace import clock
from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog import covers
from marketplace.catalog.pictures import Drawn, draw_anew
from marketplace.catalog.services import forget_unused_covers
from marketplace.catalog.tests.factories import picture, upload
from marketplace.tests.processes import ROOT, run_python
from orders import services, tasks
from orders.models import Attachment, Order
from orders.services import previews
from orders.services.previews import draw_preview
from orders.tests.factories import checked_file, current, make_offer, make_placed

pytestmark = pytest.mark.django_db(transaction=True)
PHOTO = picture(2400, 1200, kind="JPEG")


def body(response: Any) -> bytes:
    content = b"".join(response.streaming_content)
    response.close()
    return content


def sent(order: Order, *files: Any) -> list[Attachment]:
    services.send_message(order, by=order.buyer, text="Look.", files=files)
    return list(Attachment.objects.filter(order=order).order_by("pk"))[-len(files) :]


def stored(order: Order) -> set[str]:
    """The names that the storage has for this order."""
    try:
        return {f"orders/{order.pk}/{name}" for name in default_storage.listdir(f"orders/{order.pk}")[1]}
    except FileNotFoundError:
        return set()


def test_a_file_is_uploaded_previewed_downloaded_and_withheld(store: str, client: Client) -> None:
    order = make_offer()
    (file,) = sent(order, checked_file("Größe.jpg", PHOTO))
    assert (file.kind, file.preview_tries, file.thumbnail_url, file.preview_url) == ("image", 3, "", "")
    tasks.draw_previews([file.pk])
    file.refresh_from_db()
    assert (file.width, file.height, file.preview_tries) == (2400, 1200, 0)
    assert stored(order) == {file.file.name, file.preview.name, file.thumbnail.name}

    client.force_login(order.seller)
    assert body(client.get(file.get_absolute_url())) == PHOTO
    part = client.get(file.get_absolute_url(), headers={"Range": "bytes=10-19"})
    assert (part.status_code, body(part), part["Content-Range"]) == (206, PHOTO[10:20], f"bytes 10-19/{len(PHOTO)}")
    for address, size in ((file.preview_url, (1600, 800)), (file.thumbnail_url, (320, 160))):
        shown = client.get(address)
        content = body(shown)
        assert (shown["Content-Type"], shown["Content-Length"]) == ("image/webp", str(len(content)))
        assert opened(content).size == size

    services.withhold_file(file, by=UserFactory(is_staff=True), reason="Stolen artwork")
    assert stored(order) == set()
    for address in (file.get_absolute_url(), file.view_url, file.preview_url, file.thumbnail_url):
        assert client.get(address).status_code == 404


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def test_a_file_whose_bytes_are_gone_is_not_found(store: str, client: Client) -> None:
    order = make_offer()
    photo, text = sent(order, checked_file("a.jpg", PHOTO), checked_file("a.txt", b"a"))
    for file in (photo, text):
        default_storage.delete(file.file.name)
    assert draw_preview(photo.pk) is False
    client.force_login(order.buyer)
    assert client.get(text.get_absolute_url()).status_code == 404
    assert client.get(text.view_url).status_code == 200


def test_what_a_rolled_back_transaction_stored_is_forgotten_after_a_day(store: str) -> None:
    assert services.forget_lost_files() == 0
    order = make_placed()
    (kept,) = sent(order, checked_file("kept.jpg", PHOTO))
    services.draw_owed_previews()
    kept.refresh_from_db()
    with transaction.atomic():
        services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file("lost.jpg", PHOTO)])
        transaction.set_rollback(True)
    known = {kept.file.name, kept.preview.name, kept.thumbnail.name}
    (lost,) = stored(order) - known
    default_storage.save("orders/odd/name", upload(b"x"))
    written = default_storage.get_modified_time(lost)
    with clock.at(written + timedelta(hours=23)):
        assert services.forget_lost_files() == 0, "it may be an upload in progress"
    with clock.at(written + timedelta(hours=25)):
        assert tasks.forget_lost_files() == 2
        assert tasks.forget_lost_files() == 0
    assert stored(order) == known


def test_covers_are_kept_served_and_forgotten_in_the_same_storage(store: str, client: Client) -> None:
    assert forget_unused_covers() == 0
    name = covers.keep(upload())
    answer = client.get(covers.address(name))
    assert (answer.status_code, opened(body(answer)).size) == (200, (320, 180))
    assert covers.kept(covers.ticket(name)) == name
    with clock.at(default_storage.get_modified_time(name) + timedelta(days=3)):
        assert forget_unused_covers() == 1
    assert client.get(covers.address(name)).status_code == 404


def test_objects_are_private_and_have_no_address(bucket: str) -> None:
    (file,) = sent(make_offer(), checked_file("a.txt", b"secret"))
    with pytest.raises(ValueError, match="has no address of its own"):
        _ = file.file.url
    grants = default_storage.bucket.Object(file.file.name).Acl().grants
    assert [(grant["Grantee"]["Type"], grant["Permission"]) for grant in grants] == [("CanonicalUser", "FULL_CONTROL")]


def test_a_store_that_does_not_answer_refuses_the_upload_and_changes_nothing(bucket: str, settings: Any) -> None:
    order = make_placed()
    default = settings.STORAGES["default"]
    gone = default["OPTIONS"] | {"endpoint_url": "http://127.0.0.1:9"}
    settings.STORAGES = settings.STORAGES | {"default": default | {"OPTIONS": gone}}
    begun = time.monotonic()
    with pytest.raises(Exception, match="Could not connect to the endpoint"):
        services.deliver(current(order), by=order.seller, message="Here.", files=[checked_file("a.txt", b"a")])
    assert time.monotonic() - begun < 20
    assert (current(order).status, Attachment.objects.count()) == ("in_progress", 0)


def test_the_settings_choose_the_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(**environment: str) -> Any:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "marketplace" / "settings.py"))["STORAGES"]["default"]

    assert chosen() == {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    with pytest.raises(ImproperlyConfigured, match="FILE_STORAGE is s3, which needs what is not set: S3_BUCKET"):
        chosen(FILE_STORAGE="s3")
    keys = {"S3_ENDPOINT": "https://s3.example", "S3_REGION": "eu", "S3_ACCESS_KEY": "k", "S3_SECRET_KEY": "s"}
    assert chosen(S3_BUCKET="files", **keys) == {
        "BACKEND": "marketplace.object_storage.ObjectStorage",
        "OPTIONS": {
            "bucket_name": "files",
            "endpoint_url": "https://s3.example",
            "region_name": "eu",
            "access_key": "k",
            "secret_key": "s",
        },
    }
    with pytest.raises(ImproperlyConfigured, match="FILE_STORAGE is 'ftp'; choose one of: local, s3"):
        chosen(FILE_STORAGE="ftp")


def test_a_picture_that_kills_its_worker_is_not_tried_for_ever() -> None:
    """The attempt is counted before anything is decoded."""
    (file,) = sent(make_offer(), checked_file("a.jpg", PHOTO))
    dies = "import django; django.setup(); import os; from orders.services import previews;"
    dies += "previews.draw_anew = lambda *_, **__: os._exit(9); previews.draw_owed_previews()"
    assert run_python(dies).returncode == 9
    file.refresh_from_db()
    assert (file.preview_tries, file.preview.name) == (2, "")
    Attachment.objects.update(preview_tries=0)
    assert (draw_preview(file.pk), services.draw_owed_previews()) == (False, 0)


def test_what_is_withheld_while_it_is_drawn_leaves_nothing_behind(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order, staff = make_offer(), UserFactory(is_staff=True)
    (file,) = sent(order, checked_file("a.jpg", PHOTO))

    def meanwhile(*args: Any, **kwargs: Any) -> Drawn:
        if not Attachment.objects.get(pk=file.pk).withheld_at:
            services.withhold_file(file, by=staff, reason="Private data")
        return draw_anew(*args, **kwargs)

    monkeypatch.setattr(previews, "draw_anew", meanwhile)
    assert (draw_preview(file.pk), stored(order)) == (False, set())
    file.refresh_from_db()
    assert (file.file.name, file.preview.name, file.thumbnail.name, file.preview_tries) == ("", "", "", 0)
