"""The two groups of staff, with least rights: Support sees orders and rules on cases, Finance sees money."""

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SEEN_BY_SUPPORT = ("orders", "resolution", "payments", "catalog")
SEEN_BY_FINANCE = ("payments",)
MAY = {"Support": ["change_case", "change_attachment"], "Finance": ["ask_refund_again"]}


def make_groups(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    # Permissions are usually made after all migrations; these groups need them now.
    for label in SEEN_BY_SUPPORT:
        create_permissions(installed.get_app_config(label), verbosity=0)
    groups, permissions = apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects
    for name, labels in (("Support", SEEN_BY_SUPPORT), ("Finance", SEEN_BY_FINANCE)):
        group, _ = groups.get_or_create(name=name)
        seen = permissions.filter(content_type__app_label__in=labels, codename__startswith="view_")
        group.permissions.set(seen.union(permissions.filter(codename__in=MAY[name])))


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("catalog", "0002_protect_terms"),
        ("orders", "0002_append_only"),
        ("payments", "0002_ledger"),
        ("resolution", "0002_reasons"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
