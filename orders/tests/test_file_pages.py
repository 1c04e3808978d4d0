"""The pages that show what was delivered: exact headers, who may see them, and what they show."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from marketplace.accounts.tests.factories import StaffFactory, UserFactory
from marketplace.accounts.tests.signing_in import sign_in_by_password_alone
from marketplace.catalog.tests.factories import picture
from marketplace.tests.visitor import Page, Visitor
from orders import services
from orders.models import Attachment, Order
from orders.tests.factories import checked_file, current, make_offer, make_placed
from orders.tests.test_files import HTML

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7 not much of one"
FILM = b"\x00\x00\x00\x20ftypisom" + bytes(range(100))
SVG = "{http://www.w3.org/2000/svg}"
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def send(order: Order, *files: tuple[str, bytes]) -> list[Attachment]:
    services.send_message(order, by=order.buyer, text="Look.", files=[checked_file(*file) for file in files])
    services.draw_owed_previews()
    return list(Attachment.objects.order_by("pk"))[-len(files) :]


def headers(answer: Any) -> dict[str, str]:
    """All headers but the date-like ones that every page has."""
    answer.close()
    return {name: value for name, value in answer.headers.items() if name not in EVERYWHERE}


EVERYWHERE = {"Referrer-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy", "Vary", "Content-Language"}
LOCKED = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def test_every_answer_with_a_file_is_locked_in_by_exactly_these_headers(client: Client) -> None:
    order = make_offer()
    text, image, pdf, film = send(order, ("ä.txt", HTML), ("a.png", picture()), ("a.pdf", PDF), ("a.mp4", FILM))
    client.force_login(order.seller)
    assert headers(client.get(text.get_absolute_url())) == LOCKED | {
        "Accept-Ranges": "bytes",
        "Content-Disposition": "attachment; filename*=utf-8''%C3%A4.txt",
        "Content-Length": str(len(HTML)),
        "Content-Type": "text/plain",
        "ETag": f'"{text.sha256}"',
    }
    shown = client.get(film.inline_url)
    assert headers(shown) == LOCKED | {
        "Accept-Ranges": "bytes",
        "Content-Disposition": 'inline; filename="a.mp4"',
        "Content-Length": str(len(FILM)),
        "Content-Type": "video/mp4",
        "ETag": f'"{film.sha256}"',
    }
    framed = headers(client.get(pdf.inline_url))
    assert framed["Content-Security-Policy"] == "default-src 'none'; object-src 'self'; frame-ancestors 'self'"
    assert (framed["X-Frame-Options"], framed["Content-Type"]) == ("SAMEORIGIN", "application/pdf")
    drawn = client.get(image.thumbnail_url)
    length = str(len(b"".join(drawn.streaming_content)))
    assert headers(drawn) == LOCKED | {"Content-Length": length, "Content-Type": "image/webp"}
    for shown_never in (text, image):
        assert client.get(reverse("orders:inline", args=[order.number, shown_never.pk])).status_code == 404
        assert shown_never.inline_url == ""
    assert client.post(text.get_absolute_url()).status_code == 405


PARTS: list[tuple[str, int, int, int]] = [
    ("bytes=0-3", 206, 0, 4),
    ("bytes=100-", 206, 100, 112),
    ("bytes=100-9999", 206, 100, 112),
    ("bytes=-12", 206, 100, 112),
    ("bytes=-9999", 206, 0, 112),
    ("bytes=112-", 416, 0, 0),
    ("bytes=-0", 416, 0, 0),
    ("bytes=5-2", 200, 0, 112),
    ("bytes=0-1,4-5", 200, 0, 112),
    ("bytes=-", 200, 0, 112),
    ("lines=1-2", 200, 0, 112),
    (f"bytes=0-{'9' * 5000}", 200, 0, 112),
]


def test_players_may_ask_for_one_part_of_a_film(client: Client) -> None:
    order = make_offer()
    (film,) = send(order, ("a.mp4", FILM))
    client.force_login(order.buyer)
    for asked, status, start, end in PARTS:
        answer = client.get(film.inline_url, headers={"Range": asked})
        said = {206: f"bytes {start}-{end - 1}/112", 416: "bytes */112", 200: None}[status]
        assert (asked, answer.status_code, answer.get("Content-Range")) == (asked, status, said)
        if status != 416:
            assert b"".join(answer.streaming_content) == FILM[start:end]
            assert answer["Content-Length"] == str(end - start)
        answer.close()
    changed = client.get(film.inline_url, headers={"Range": "bytes=0-3", "If-Range": '"another file"'})
    assert (changed.status_code, b"".join(changed.streaming_content)) == (200, FILM)
    changed.close()


def test_to_strangers_and_to_other_orders_no_file_exists(client: Client) -> None:
    order, other = make_offer(), make_offer(buyer=UserFactory(), seller=UserFactory())
    image, pdf = send(order, ("a.png", picture()), ("a.pdf", PDF))
    names = {"file": image, "view_file": image, "thumbnail": image, "preview": image, "inline": pdf}
    addresses = [reverse(f"orders:{name}", args=[order.number, file.pk]) for name, file in names.items()]
    addresses.append(reverse("orders:compare", args=[order.number, order.milestones.get(position=1).pk]))
    elsewhere = [address.replace(order.number, other.number) for address in addresses]

    def statuses(asked: list[str]) -> set[int]:
        answers = [client.get(address) for address in asked]
        for answer in answers:
            answer.close()
        return {answer.status_code for answer in answers}

    assert statuses(addresses) == {302}, "to sign in"
    client.force_login(other.buyer)
    assert (statuses(addresses), statuses(elsewhere)) == ({404}, {404})
    finance, support = StaffFactory(), StaffFactory()
    finance.groups.add(Group.objects.get(name="Finance"))
    support.groups.add(Group.objects.get(name="Support"))
    for person in (order.buyer, order.seller, support):
        client.force_login(person)
        assert (statuses(addresses), statuses(elsewhere)) == ({200}, {404})
    client.logout()
    sign_in_by_password_alone(client, support, BACKEND)
    assert statuses(addresses) == {404}, "without the second factor"


def test_a_file_is_shown_as_far_as_that_is_safe(client: Client) -> None:
    order = make_placed()
    names = {"a.png": picture(), "a.txt": HTML, "a.pdf": PDF, "a.mp4": FILM, "a.mp3": b"ID3", "a.zip": b"PK\x03\x04"}
    names |= {"broken.png": picture()[:99]}
    services.deliver(
        current(order), by=order.seller, message="All.", files=[checked_file(*file) for file in names.items()]
    )
    buyer, files = Visitor(order.buyer), {file.name: file for file in Attachment.objects.all()}

    def shown(name: str) -> Any:
        page = buyer.open(files[name].view_url)
        assert page.title == name
        return page.all("div", cls="viewer")[0], page

    assert "The preview is being drawn." in shown("a.png")[1].words("p")
    services.draw_owed_previews()
    for name, tag in (("a.pdf", "iframe"), ("a.mp4", "video"), ("a.mp3", "audio")):
        viewer, page = shown(name)
        assert [one.get("src") for one in page.all(tag, inside=viewer)] == [files[name].inline_url]
    viewer, page = shown("a.png")
    files["a.png"].refresh_from_db()
    assert [one.get("src") for one in page.all("img", inside=viewer)] == [files["a.png"].preview_url]
    viewer, page = shown("a.txt")
    assert page.words("li", inside=viewer) == [HTML.decode()], "escaped: what the markup says is text"
    assert page.all("script", inside=viewer) == []
    assert "This kind of file is not shown here." in shown("a.zip")[1].words("p")
    assert "This picture has no preview." in shown("broken.png")[1].words("p")
    page = buyer.open(files["a.txt"].view_url)
    assert page.words("nav", cls="filenav") == ["← a.png 2 of 7 a.pdf →"]
    assert page.words(cls="head__meta")[0].startswith("Delivery 1 of “Script” · from Theo Lindqvist, ")
    assert page.link("Download") == files["a.txt"].get_absolute_url()


def test_a_long_text_is_shown_by_its_beginning_and_a_page_stays_small() -> None:
    order = make_offer()
    long, wide, windows = send(
        order, ("a.txt", b"\r\n" * 9_000), ("b.txt", "ß".encode() * 60_000), ("c.txt", "50 €\nGröße".encode("cp1252"))
    )
    buyer = Visitor(order.buyer)
    for file, lines in ((long, 2_000), (wide, 1)):
        page = buyer.open(file.view_url)
        assert len(page.words("li", inside=page.all(cls="code")[0])) == lines
        assert "Only the beginning is shown. Download the file to read all of it." in page.words("p")
    assert page.words("li", inside=page.all(cls="code")[0]) == ["ß" * 51_200], "no half letter at the end"
    page = buyer.open(windows.view_url)
    assert page.words("li", inside=page.all(cls="code")[0]) == ["50 €", "Größe"]


OLD, NEW = b"One\nTwo\nThree\n", b"One\n2\nThree\nFour\n"


def compared(page: Page, name: str) -> Any:
    return next(section for section in page.all("section", cls="pair") if name in page.words("h3", inside=section)[0])


def test_two_deliveries_are_shown_side_by_side_to_both_sides_and_support() -> None:
    order = make_placed()
    address = reverse("orders:compare", args=[order.number, current(order).pk])
    buyer = Visitor(order.buyer)
    assert "Nothing was delivered yet." in buyer.open(address).words("p")
    first = [("notes.txt", OLD), ("old.png", picture(300, 200)), ("same.pdf", PDF), ("gone.zip", b"PK\x03\x04")]
    second = [("new.png", picture(600, 100)), ("notes.txt", NEW), ("same.pdf", PDF)]
    for message, files in (("First try.", first), ("With <b>your</b> remarks.", second), ("Only words.", [])):
        services.deliver(
            current(order), by=order.seller, message=message, files=[checked_file(*file) for file in files]
        )
    services.draw_owed_previews()
    support = StaffFactory()
    support.groups.add(Group.objects.get(name="Support"))
    for visitor in (buyer, Visitor(order.seller), Visitor(support)):
        page = visitor.open(f"{address}?left=1&right=2")
        assert page.words("p", cls="usertext") == ["First try.", "With <b>your</b> remarks."]
        assert page.words("h3") == ["notes.txt", "old.png → new.png", "same.pdf", "gone.zip"]
        notes = compared(page, "notes.txt")
        assert [page.words("td", inside=row) for row in page.all("tr", inside=notes)[1:]] == [
            ["1", "1", "", "One"],
            ["2", "", "−removed", "Two"],
            ["", "2", "+added", "2"],
            ["3", "3", "", "Three"],
            ["", "4", "+added", "Four"],
        ]
        assert page.words(cls="small", inside=notes)[0] == "1 line removed, 2 lines added"
        pictures = page.all(f"{SVG}svg", inside=compared(page, "old.png"))
        assert {one.get("viewBox") for one in pictures} == {"0 0 600 200"}, "at the same scale"
        images = [one for picture_ in pictures for one in picture_ if one.tag == f"{SVG}image"]
        assert [(one.get("width"), one.get("height")) for one in images] == [("300", "200"), ("600", "100")]
        assert page.words(cls="badge", inside=compared(page, "same.pdf")) == ["The same in both"]
        assert page.words(cls="badge", inside=compared(page, "gone.zip")) == ["Only in delivery 1"]
        assert not re.search(r"\sstyle=", page.response.content.decode())
    page = buyer.open(address)
    assert [one.get("value") for one in page.all("option") if one.get("selected") is not None] == ["2", "3"]
    page = buyer.open(f"{address}?left=1&right=1")
    assert page.refusal or "You chose the same delivery twice." in page.words(cls="note--warning")[0]
    assert buyer.open(f"{address}?left=9&right=x").words("h2")[:2] == ["Delivery 2", "Delivery 3"]
    assert "There is no delivery before the first one." in buyer.open(f"{address}?right=1").words(cls="note")[0]
    stolen = Attachment.objects.get(name="old.png")
    services.withhold_file(stolen, by=support, reason="Stolen artwork")
    page = buyer.open(f"{address}?left=1&right=2")
    assert "withheld by Customer Support: Stolen artwork" in " ".join(page.words("p", inside=compared(page, "old.png")))


def test_long_texts_are_compared_by_their_beginnings() -> None:
    order = make_placed()
    lines = [b"line %d" % n for n in range(1_500)]
    for changed in (b"", b"!"):
        text = b"\n".join([*lines[:999], lines[999] + changed, *lines[1_000:1_400], lines[1_400] + changed])
        services.deliver(current(order), by=order.seller, message="Text.", files=[checked_file("a.txt", text)])
    page = Visitor(order.buyer).open(reverse("orders:compare", args=[order.number, current(order).pk]))
    assert page.words("del") == ["line 999"]
    assert "Only the beginnings of the files were compared." in page.words("p")
