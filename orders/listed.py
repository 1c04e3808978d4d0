"""Files as pages list them. A page may list many, so that what each says is made here and not by its template."""

from collections.abc import Callable
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.models import Attachment
from orders.models.attachment import kind_of


@dataclass(frozen=True)
class ListedFile:
    """A file with its addresses. A withheld one says why and has none; what is only downloaded has no `view_label`."""

    name: str
    size: str = ""
    url: str = ""
    view_url: str = ""
    view: str = ""
    view_label: str = ""
    thumbnail_url: str = ""
    withheld_because: str = ""
    is_withheld: bool = False


def listing(number: str) -> Callable[..., ListedFile]:
    """How the files of the order with this number are listed; takes the columns of `Attachment` by their names."""
    # The addresses of an order's files differ in one number alone.
    of_file, of_view, of_thumbnail = (
        reverse(f"orders:{name}", args=[number, 0]).rpartition("/files/0/")
        for name in ("file", "view_file", "thumbnail")
    )
    view, view_of = _("View"), _("View %(name)s")

    def listed(
        pk: int,
        name: str,
        size: int,
        content_type: str,
        thumbnail: object,
        withheld_at: object,
        withheld_because: str,
    ) -> ListedFile:
        if withheld_at:
            return ListedFile(name, withheld_because=withheld_because, is_withheld=True)
        files = f"{of_file[0]}/files/{pk}/"
        is_shown = kind_of(content_type) != "other"
        return ListedFile(
            name,
            filesizeformat(size),
            files,
            view_url=f"{files}{of_view[2]}" if is_shown or thumbnail else "",
            view=view,
            view_label=view_of % {"name": name} if is_shown else "",
            thumbnail_url=f"{files}{of_thumbnail[2]}" if thumbnail else "",
        )

    return listed


def listed_files(number: str, files: list[Attachment]) -> list[ListedFile]:
    """Files of an order as their rows are."""
    listed = listing(number)
    return [
        listed(
            file.pk,
            file.name,
            file.size,
            file.content_type,
            file.thumbnail,
            file.withheld_at,
            file.withheld_because,
        )
        for file in files
    ]
