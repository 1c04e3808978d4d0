"""`manage.py demo`: people, gigs and orders to look at, in an empty database."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketplace import clock
from marketplace.accounts.models import User
from marketplace.demo import people
from marketplace.demo.play import play


class Command(BaseCommand):
    help = "Fill an empty database with people, gigs and orders in every state, all made through the services."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PAYMENT_GATEWAY != "sandbox":
            raise CommandError("The demo is paid with the sandbox's test cards: set PAYMENT_GATEWAY=sandbox.")
        if User.objects.exists():
            raise CommandError("This database has people already; the demo is for an empty one.")
        play(clock.now())
        for role, email in (
            ("buyer", "ana@example.com"),
            ("seller", "theo@example.com"),
            ("support", "support@example.com"),
            ("finance", "finance@example.com"),
            ("admin", "admin@example.com"),
        ):
            self.stdout.write(f"{role:8} {email:22} password: {people.PASSWORD}")
        self.stdout.write("The last three also need a code: python3 run.py manage second_factor support@example.com")
