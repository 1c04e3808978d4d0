"""Passwords that cost the tests nothing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The site's own hasher at the least that it can be made to cost: the real one takes 100 MB and half a second."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
