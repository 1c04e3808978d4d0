"""Queries whose SQL is written once: Django takes longer to write many parts than PostgreSQL to answer them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

Argument = int | str | datetime


class Statement:
    """A query in Django's own terms, asked again and again with other numbers, texts or instants.

    `build` makes its queryset, of `values_list` for `rows` and of models for `models`; it is called once, with
    stand-ins for the arguments, and must use each of them as a plain value. What would change the SQL itself, such as
    another filter, is another statement.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._written: _Written | None = None

    def rows(self, *arguments: Argument) -> list[tuple[Any, ...]]:
        """The answer as tuples. One query. JSON comes as text, as PostgreSQL gives it."""
        meant = {_stand_in(place, argument): argument for place, argument in enumerate(arguments)}
        written = self._written = self._written or _Written.of(self._build(*meant))
        values = [meant.get(value, value) if isinstance(value, Argument) else value for value in written.values]
        with connection.cursor() as cursor:
            cursor.execute(written.sql, values)
            return list(cursor.fetchall())

    def models(self, *arguments: Argument) -> list[Any]:
        """The answer as models, with those that `select_related` names. One query; nothing is prefetched."""
        rows = self.rows(*arguments)
        assert self._written
        return self._written.models(rows)


@dataclass(frozen=True)
class _Written:
    """A query as Django wrote it, with what Django found out meanwhile about its columns; of no connection."""

    sql: str
    values: tuple[Any, ...]
    select: list[Any]
    shape: dict[str, Any] | None
    converters: dict[int, Any]

    @classmethod
    def of(cls, queryset: QuerySet[Any, Any]) -> "_Written":
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, values = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
        return cls(sql, tuple(values), compiler.select, compiler.klass_info, converters)

    def models(self, rows: list[tuple[Any, ...]]) -> list[Model]:
        """What a queryset makes of its rows (django.db.models.query.ModelIterable)."""
        select, shape = self.select, self.shape
        assert shape
        model, places = shape["model"], shape["select_fields"]
        names = [select[place][0].target.attname for place in places]
        own = slice(places[0], places[-1] + 1)
        others = get_related_populators(shape, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # Django 6's stubs
        made = []
        for row in map(self._converted, rows):
            one = model.from_db(DEFAULT_DB_ALIAS, names, row[own])
            for other in others:
                other.populate(row, one)
            made.append(one)
        return made

    def _converted(self, row: tuple[Any, ...]) -> list[Any]:
        values = list(row)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return values


def _stand_in(place: int, argument: Argument) -> Argument:
    """A value of the same type that nothing else in the query has."""
    if isinstance(argument, datetime):
        return datetime(9999, 1, 1, tzinfo=UTC) + timedelta(seconds=place)
    return 2**62 + place if isinstance(argument, int) else f"\ue000{place}"
