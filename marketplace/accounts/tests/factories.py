from typing import Any

import factory

from marketplace.accounts.models import User

PASSWORD = "a horse, correct and stapled"


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A person made as sign-up makes one. Without `password` they cannot sign in by form; `force_login` is enough."""

    class Meta:
        model = User

    name = factory.Sequence(lambda number: f"Person {number}")
    email = factory.Sequence(lambda number: f"person-{number}@example.org")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(kwargs.pop("email"), kwargs.pop("password", None), **kwargs)


class StaffFactory(UserFactory):
    is_staff = True
