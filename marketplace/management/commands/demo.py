"""`manage.py demo`: people, gigs and orders to look at, in an empty database."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.demo import disputes, people, purses, reviews, shelf, stories
from orders.models import Attachment
from orders.services import draw_previews


class Command(BaseCommand):
    help = "Fill an empty database with people, gigs and orders in every state, all made through the services."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PAYMENT_GATEWAY != "sandbox":
            raise CommandError("The demo is paid with the sandbox's test cards: set PAYMENT_GATEWAY=sandbox.")
        if User.objects.exists():
            raise CommandError("This database has people already; the demo is for an empty one.")
        now = clock.now()
        with clock.at(now - timedelta(days=200)):
            cast = people.settle_in()
        shelf.fill(cast.people, people.PASSWORD, now)
        reviews.tell_earlier(cast, now)
        stories.tell(cast, now)
        disputes.tell(cast, now)
        reviews.tell(cast, now)
        purses.fill(cast, now)
        draw_previews(Attachment.objects.filter(preview_tries__gt=0).values_list("pk", flat=True))
        for role, email in (
            ("buyer", "ana@example.com"),
            ("seller", "theo@example.com"),
            ("support", "support@example.com"),
            ("finance", "finance@example.com"),
            ("admin", "admin@example.com"),
        ):
            self.stdout.write(f"{role:8} {email:22} password: {people.PASSWORD}")
        self.stdout.write("The last three also need a code: python3 run.py manage second_factor support@example.com")
