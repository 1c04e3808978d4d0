"""The rules of this code base that no other tool checks."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]

# Imports only point down. A module belongs to the longest name here that it starts with.
STOREYS = {
    "marketplace": 7,
    "marketplace.reviews": 6,
    "resolution": 5,
    "orders": 4,
    "payments": 3,
    "marketplace.catalog": 3,
    "marketplace.notifications": 3,
    "marketplace.accounts": 2,
    "marketplace.afterwards": 1,
    "marketplace.celery": 1,
    "marketplace.clock": 1,
    "marketplace.pages_by_key": 1,
    "marketplace.rows": 1,
    "marketplace.statement": 1,
    "marketplace.embedded": 1,
}
EXCEPTIONS = {("marketplace.catalog", "payments.money"), ("marketplace.catalog", "payments.pricing")}


def storey_of(module: str) -> str | None:
    names = [name for name in STOREYS if module == name or module.startswith(f"{name}.")]
    return max(names, key=len, default=None)


def wrong_imports(module: str, source: str) -> list[str]:
    """The modules that `module` imports and must not."""
    home = storey_of(module)
    assert home
    return [
        target
        for target in imported_modules(module, ast.parse(source))
        if (there := storey_of(target)) not in (None, home)
        and STOREYS[there] >= STOREYS[home]
        and not any(home == user and target.startswith(used) for user, used in EXCEPTIONS)
        and not (".tests." in module and target.startswith("marketplace.tests."))  # the invariants, for every app
    ]


def imported_modules(module: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            # `from payments import money` and `from payments.money import fee` both name payments.money.
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def modules() -> dict[str, Path]:
    files = [
        path
        for storey in ("marketplace", "resolution", "orders", "payments")
        for path in ROOT.glob(f"{storey}/**/*.py")
    ]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def test_imports_only_point_down() -> None:
    found = {name: wrong for name, path in modules().items() if (wrong := wrong_imports(name, path.read_text()))}
    assert found == {}


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        ("payments.services.charges", "from orders.models import Order", ["orders.models.Order"]),
        ("payments.models.ledger", "def f():\n    import orders", ["orders"]),
        ("orders.services.place", "from resolution import services", ["resolution.services"]),
        (
            "orders.services.place",
            "from marketplace.tests.invariants import check",
            ["marketplace.tests.invariants.check"],
        ),
        ("orders.services.place", "from marketplace.views import home", ["marketplace.views.home"]),
        ("marketplace.accounts.models", "from ..catalog.models import Gig", ["marketplace.catalog.models.Gig"]),
        ("marketplace.catalog.models", "from payments.models import Transfer", ["payments.models.Transfer"]),
        ("marketplace.notifications.services", "from payments.money import fee", ["payments.money.fee"]),
        ("marketplace.clock", "import marketplace.accounts.models", ["marketplace.accounts.models"]),
        ("marketplace.reviews.services", "from marketplace.views import home", ["marketplace.views.home"]),
        ("resolution.actions", "from marketplace.reviews import rules", ["marketplace.reviews.rules"]),
        ("marketplace.catalog.models", "from payments.money import fee", []),
        ("marketplace.catalog.models", "from .plans import PlanForm", []),
        ("orders.services.place", "from marketplace import clock\nimport payments.services", []),
        ("orders.tests.conftest", "from marketplace.tests import invariants", []),
        ("marketplace.webhooks", "from payments import services\nfrom orders.models import Order", []),
    ],
)
def test_an_import_that_points_up_or_sideways_is_found(module: str, source: str, wrong: list[str]) -> None:
    assert wrong_imports(module, source) == wrong


def test_no_import_hides_in_a_function() -> None:
    """But for packages that not every machine has."""
    hidden = {
        (name, node.lineno)
        for name, path in modules().items()
        if not name.startswith("marketplace.embedded")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert hidden == set()


def test_the_private_servers_know_nothing_of_django() -> None:
    found = {
        name: target
        for name, path in modules().items()
        if name.startswith("marketplace.embedded")
        for target in imported_modules(name, ast.parse(path.read_text()))
        if target.partition(".")[0] == "django"
    }
    assert found == {}


def test_no_module_is_longer_than_400_lines() -> None:
    """Migrations are generated, and tests may hold long tables."""
    lines = {name: len(path.read_text().splitlines()) for name, path in modules().items()}
    assert {n: k for n, k in lines.items() if k > 400 and ".migrations." not in n and ".tests." not in n} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "process", "handle"}
    assert {name for name in modules() if name.rpartition(".")[2] in empty_words} == set()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=1)


def test_check_deploy_finds_nothing_in_production_but_the_sandbox() -> None:
    production = {
        "SECRET_KEY": "fR8-vQ2_mZ6xK0tYcW4nB7hLpD1sGjE3uAoIeVrTqXyNkMbCzPwHdS5a9F",
        "DEBUG": "0",
        "SITE_URL": "https://marketplace.example",
        "ALLOWED_HOSTS": "marketplace.example",
        "EMAIL_URL": "smtp+tls://user:password@mail.example:587",
    }
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    check = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**inherited, **production},
        capture_output=True,
        text=True,
        check=False,
    )
    said = check.stdout + check.stderr
    assert (check.returncode, re.findall(r"\((\w+\.[A-Z]\d+)\)", said)) == (1, ["payments.E001"]), said


def test_the_example_lists_every_variable_that_is_read() -> None:
    settings = (ROOT / "marketplace" / "settings.py").read_text()
    read_by_settings = set(re.findall(r"""env\.\w+\(["']([A-Z_]+)["']""", settings))
    read_by_the_commands = {"DEMO", "CHROMIUM", "TEST_DATABASE_URL", "TEST_REDIS_URL"}
    listed = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(read_by_settings | read_by_the_commands)
