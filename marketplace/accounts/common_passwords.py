"""Common passwords, also in the dress that sites ask for: `Password123!` is guessed as soon as `password` is."""

import re

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator

LOOKS_LIKE = str.maketrans("@4301!$57", "aaeoiisst")
# No more than this is taken off: somebody's long number is a secret also after a common word.
_DRESS = re.compile(r"[\W\d_]{0,6}\Z")


class CommonAtHeartValidator(CommonPasswordValidator):
    """Refuses those of Django's list, also with a few digits or signs after them and signs for letters in them."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        bare = _DRESS.sub("", password.strip().lower())
        for one in (password, bare, bare.translate(LOOKS_LIKE)):
            super().validate(one)
