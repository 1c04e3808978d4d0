"""`manage.py second_factor EMAIL`: the code that one of the demo's staff is asked for after the password."""

import time
from argparse import ArgumentParser
from typing import Any

from allauth.mfa import app_settings
from django.core.management.base import BaseCommand, CommandError

from marketplace.accounts import second_factor
from marketplace.accounts.models import User
from marketplace.demo.people import APP_SECRET


class Command(BaseCommand):
    help = "Show the code of one of the demo's staff; only of them, whose secret anybody can read in the source."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email=User.objects.normalize_email(options["email"])).first()
        if not person:
            raise CommandError("Nobody has this address.")
        if second_factor.secret_of(person) != APP_SECRET:
            raise CommandError("This person has no second factor of the demo, and no other is told.")
        now, period = time.time(), app_settings.TOTP_PERIOD
        present, following = (second_factor.code(APP_SECRET, at) for at in (now, now + period))
        left = period - int(now) % period
        self.stdout.write(f"{present}   for {left} s more and for one sign-in; then {following}")
