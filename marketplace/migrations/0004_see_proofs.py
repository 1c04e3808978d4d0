"""Support and Finance may see the proofs of the ledger."""

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def show_proofs(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    create_permissions(installed.get_app_config("marketplace"), verbosity=0)
    groups, permissions = apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects
    see = permissions.get(content_type__app_label="marketplace", codename="view_ledgerproof")
    for name in ("Support", "Finance"):
        groups.get(name=name).permissions.add(see)


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0003_ledgerproof")]

    operations = [migrations.RunPython(show_proofs, migrations.RunPython.noop)]
