from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from marketplace.accounts.models import User
from marketplace.accounts.tests.factories import UserFactory


@pytest.fixture(autouse=True)
def covers_folder(settings: Settings, tmp_path: Path) -> Path:
    """Pictures of a test are kept in a folder of its own."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "covers"


@pytest.fixture
def theo(client: Client) -> User:
    """The seller, signed in."""
    person = UserFactory(name="Theo Lindqvist")
    client.force_login(person)
    return person
