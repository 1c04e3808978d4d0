"""Rows that are read, changed in a few columns and saved, under the lock of their order."""

from collections.abc import Collection
from typing import Any, Self

from django.db import models


class SavesWhatChanged(models.Model):
    """A row whose `save` writes the columns that differ from what was read, and nothing where none does.

    One that was read in part, or was read anew since, is saved as Django does.
    """

    class Meta:
        abstract = True

    as_read: dict[str, Any]

    def save(self, *args: Any, **options: Any) -> None:
        as_read: dict[str, Any] | None = self.__dict__.get("as_read")
        if as_read is not None and not args and not options:
            options["update_fields"] = [name for name, value in as_read.items() if self.__dict__[name] != value]
        super().save(*args, **options)
        if as_read is not None:
            saved = options.get("update_fields")
            names = as_read if saved is None else as_read.keys() & set(saved)
            self.as_read = as_read | {name: self.__dict__[name] for name in names}

    def refresh_from_db(self, *args: Any, **options: Any) -> None:
        super().refresh_from_db(*args, **options)
        self.__dict__.pop("as_read", None)

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        row = super().from_db(db, field_names, values, **options)
        if len(values) == len(cls._meta.concrete_fields):
            row.as_read = {name: row.__dict__[name] for name in field_names}
        return row
