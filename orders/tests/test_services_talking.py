"""Messages and files, and what staff withhold (O5, P6)."""

import hashlib
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.test import override_settings

import orders.files
from marketplace.accounts.tests.factories import UserFactory
from marketplace.notifications.models import Notice
from orders import services
from orders.models import Attachment
from orders.tests.factories import (
    activity,
    after,
    at,
    checked_file,
    current,
    fresh,
    make_accepted,
    make_offer,
    make_placed,
    side,
    statuses,
    told,
)
from orders.tests.rows import refused

PNG = b"\x89PNG\r\n\x1a\n and so on"


def upload(name: str, content: bytes) -> "UploadedFile[bytes]":
    return UploadedFile(BytesIO(content), name, size=len(content))


# Messages


@pytest.mark.django_db(transaction=True)
def test_a_message_is_told_to_the_other_side_and_changes_no_version() -> None:
    order = make_placed()
    with at(hours=5):
        services.send_message(order, by=order.seller, text="May I use blue?", files=[checked_file("blue.png")])
    later = fresh(order)
    assert (later.version, later.acted_at, later.decide_by) == (order.version, after(hours=5), None)
    message = order.messages.get()
    assert (message.author, message.text, message.sent_at) == (order.seller, "May I use blue?", after(hours=5))
    assert [file.name for file in message.files.all()] == ["blue.png"]
    notice = Notice.objects.get(kind="message")
    assert (side(order, notice.recipient), notice.title) == (
        "buyer",
        "Theo Lindqvist wrote to you: Whiteboard explainer video",
    )
    assert notice.text == "May I use blue?"
    assert notice.url == f"{order.get_absolute_url()}#messages"
    assert activity(order)[-1][0] == "activated", "a message is no event"


@pytest.mark.django_db(transaction=True)
def test_a_revision_asked_for_in_a_message_is_not_a_revision() -> None:
    order = make_placed()
    services.deliver(current(order), by=order.seller, message="Here it is.")
    services.send_message(order, by=order.buyer, text="Please make a revision.")
    assert statuses(order) == ("active", ["delivered", "planned", "planned"])
    assert fresh(order).decide_by == after(days=8)


@pytest.mark.django_db(transaction=True)
def test_people_can_write_in_every_state_of_an_order() -> None:
    offer, ended = make_offer(), make_accepted()
    services.stop(ended, by=ended.buyer)
    for order in (offer, ended):
        services.send_message(order, by=order.buyer, text="Hello")
        services.send_message(order, by=order.seller, text="Hello")
        assert order.messages.count() == 2


# Files


@pytest.mark.django_db(transaction=True)
def test_a_file_is_kept_under_a_generated_name_with_its_hash() -> None:
    order = make_placed()
    delivery = services.deliver(
        current(order), by=order.seller, message="Two files.", files=[checked_file("../../logo.PNG"), checked_file()]
    )
    first = delivery.files.first()
    assert (first.name, first.size, first.content_type) == ("logo.PNG", len(PNG), "image/png")
    assert first.sha256 == hashlib.sha256(PNG).hexdigest()
    assert first.file.name.startswith(f"orders/{order.pk}/")
    assert "logo" not in first.file.name
    with default_storage.open(first.file.name) as stored:
        assert stored.read() == PNG


@pytest.mark.django_db(transaction=True)
def test_staff_withhold_a_file_the_row_and_the_hash_stay_and_the_bytes_go() -> None:
    order, support = make_placed(), UserFactory(is_staff=True)
    delivery = services.deliver(current(order), by=order.seller, message="Files.", files=[checked_file()])
    attachment, version = delivery.files.get(), fresh(order).version
    stored_as = attachment.file.name
    with at(days=1):
        services.withhold_file(attachment, by=support, reason="Stolen artwork")
    attachment = Attachment.objects.get()
    assert (attachment.withheld_at, attachment.withheld_by) == (after(days=1), support)
    assert (attachment.name, attachment.sha256) == ("logo.png", hashlib.sha256(PNG).hexdigest())
    assert (attachment.file.name, default_storage.exists(stored_as)) == ("", False)
    assert activity(order)[-1] == ("file_withheld", "support", "", "", "")
    assert order.events.last().reason == "Stolen artwork"
    assert told(order)[-2:] == [("file_withheld", "buyer"), ("file_withheld", "seller")]
    assert fresh(order).version == version + 1
    assert fresh(order).decide_by == after(days=8), "withholding moves no clock"
    with refused("This file is already withheld."):
        services.withhold_file(attachment, by=support, reason="Once more")


@pytest.mark.django_db(transaction=True)
def test_a_file_of_an_ended_order_can_be_withheld_too() -> None:
    order, support = make_offer(), UserFactory(is_staff=True)
    services.send_message(order, by=order.buyer, text="Look.", files=[checked_file()])
    with at(days=30):
        services.withhold_file(Attachment.objects.get(), by=support, reason="Private data")
    assert fresh(order).closed_because == "expired"
    assert Attachment.objects.get().withheld_because == "Private data"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.pdf", b"%PDF-1.7 ...", "application/pdf"),
        ("a.PNG", PNG, "image/png"),
        ("a.jpeg", b"\xff\xd8\xff\xe0...", "image/jpeg"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("a.mp4", b"\x00\x00\x00\x20ftypisom....", "video/mp4"),
        ("a.zip", b"PK\x03\x04....", "application/zip"),
        ("notes.txt", "Größe ß".encode(), "text/plain"),
    ],
)
def test_files_of_the_accepted_kinds_pass(name: str, content: bytes, kind: str) -> None:
    checked = orders.files.check(upload(name, content))
    assert (checked.name, checked.content_type, checked.size) == (name, kind, len(content))
    assert checked.content.read() == content, "the content can still be read from its beginning"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.pdf", b"", "empty.pdf is empty."),
        ("drawing.svg", b"<svg/>", "drawing.svg: this kind of file is not accepted. Put it into a ZIP file."),
        ("page.html", b"<p>", "page.html: this kind of file is not accepted. Put it into a ZIP file."),
        ("feed.xml", b"<a/>", "feed.xml: this kind of file is not accepted. Put it into a ZIP file."),
        ("tool.exe", b"MZ", "tool.exe: this kind of file is not accepted. Put it into a ZIP file."),
        ("nothing", b"abc", "nothing: this kind of file is not accepted. Put it into a ZIP file."),
        ("page.png", b"<html><script>", "page.png is not what its name says."),
        ("film.mp4", b"<html><script>...", "film.mp4 is not what its name says."),
        ("sound.wav", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "sound.wav is not what its name says."),
        ("notes.txt", b"MZ\x00\x00", "notes.txt is not what its name says."),
    ],
)
def test_a_file_that_is_empty_disguised_or_of_another_kind_is_refused(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        orders.files.check(upload(name, content))
    assert caught.value.messages == [reason]


@override_settings(UPLOAD_MAX_BYTES=1024, UPLOAD_MAX_FILES=2)
def test_too_large_and_too_many_files_are_refused_each_with_its_own_sentence() -> None:
    with pytest.raises(ValidationError) as caught:
        orders.files.check_all([upload("a.txt", b"a" * 1025), upload("b.svg", b"b")])
    assert caught.value.messages == [
        "a.txt is larger than 1.0\xa0KB.",
        "b.svg: this kind of file is not accepted. Put it into a ZIP file.",
    ]
    with pytest.raises(ValidationError) as caught:
        orders.files.check_all([upload("a.txt", b"a")] * 3)
    assert caught.value.messages == ["At most 2 files at once."]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("C:\\fakepath\\logo.png", "logo.png"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("in\u202egnp.exe.png", "ingnp.exe.png"),
        ("a\x00b\r\n.txt", "ab.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("😀.txt", "😀.txt"),
    ],
)
def test_a_files_name_is_shown_without_folders_controls_or_direction_marks(typed: str, shown: str) -> None:
    assert orders.files.clean_name(typed) == shown
