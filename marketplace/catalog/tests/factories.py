from collections.abc import Sequence
from io import BytesIO
from typing import Any

import factory
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from marketplace.accounts.tests.factories import UserFactory
from marketplace.catalog import services
from marketplace.catalog.models import Category, Gig, Terms
from marketplace.catalog.plans import PlannedMilestone


class CategoryFactory(factory.django.DjangoModelFactory[Category]):
    class Meta:
        model = Category

    name = factory.Sequence(lambda number: f"Category {number}")
    slug = factory.Sequence(lambda number: f"category-{number}")


def planned(title: str = "Sketches", **values: Any) -> PlannedMilestone:
    defaults: dict[str, Any] = {"description": "", "price": 6000, "delivery_days": 4, "revisions": 1}
    return PlannedMilestone(title, **(defaults | values))


def logo_plan() -> list[PlannedMilestone]:
    """60.00 + 120.00 + 70.00, 12 days."""
    return [
        planned("Sketches", price=6000, delivery_days=4, revisions=1),
        planned("Refined logo", price=12000, delivery_days=5, revisions=2),
        planned("Final files", price=7000, delivery_days=3, revisions=None),
    ]


class GigFactory(factory.django.DjangoModelFactory[Gig]):
    """A gig made through the services; published unless another `status` is asked for."""

    class Meta:
        model = Gig

    seller = factory.SubFactory(UserFactory)
    title = factory.Sequence(lambda number: f"Logo {number}")
    category = factory.SubFactory(CategoryFactory)
    description = "A logo drawn for your business."
    currency = "USD"
    plan = factory.LazyFunction(logo_plan)
    status = Gig.Status.PUBLISHED

    @classmethod
    def _create(cls, model_class: type[Gig], *args: Any, **kwargs: Any) -> Gig:
        status = kwargs.pop("status")
        plan: Sequence[PlannedMilestone] = kwargs.pop("plan")
        seller = kwargs.pop("seller")
        gig = services.create_gig(seller, plan=plan, **kwargs)
        if status in (Gig.Status.PUBLISHED, Gig.Status.PAUSED):
            gig = services.publish(gig, by=seller)
        if status == Gig.Status.PAUSED:
            gig = services.pause(gig, by=seller)
        if status == Gig.Status.ARCHIVED:
            gig = services.archive(gig, by=seller)
        return gig


class TermsFactory(factory.django.DjangoModelFactory[Terms]):
    """New terms in force, with the defaults of the model; give it the numbers that matter."""

    class Meta:
        model = Terms

    price_limits = factory.LazyFunction(lambda: {"USD": [300, 5_000_000], "JPY": [400, 7_500_000], "KWD": [1, 10**7]})

    @classmethod
    def _create(cls, model_class: type[Terms], *args: Any, **kwargs: Any) -> Terms:
        return services.publish_terms(by=kwargs.pop("by", None), **kwargs)


def picture(width: int = 320, height: int = 180, *, kind: str = "PNG", mode: str = "RGB", **save: Any) -> bytes:
    output = BytesIO()
    Image.new(mode, (width, height), "teal" if mode in ("RGB", "RGBA") else 0).save(output, kind, **save)
    return output.getvalue()


def upload(content: bytes | None = None, name: str = "cover.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if content is None else content, content_type="image/png")
