"""`manage.py encrypt_anew`: the way off a former SECRET_KEY, which SECRET_KEY_FALLBACKS may lose afterwards."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.accounts import second_factor


class Command(BaseCommand):
    help = "Encrypt the secrets of all second factors with the present SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        done, unread = second_factor.encrypt_anew()
        self.stdout.write(f"Encrypted with the present SECRET_KEY: {done} secrets of second factors.")
        if unread:
            raise CommandError(
                f"Not read by any key, so left as they are: {unread}. Their former key is not in SECRET_KEY_FALLBACKS."
            )
