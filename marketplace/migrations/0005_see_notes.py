"""Support may see what was said in cases, and what support noted for itself."""

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def show_notes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    create_permissions(installed.get_app_config("resolution"), verbosity=0)
    groups, permissions = apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects
    seen = permissions.filter(
        content_type__app_label="resolution", codename__in=["view_casemessage", "view_supportnote"]
    )
    groups.get(name="Support").permissions.add(*seen)


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0004_see_proofs"), ("resolution", "0006_reasons_of_proposals")]

    operations = [migrations.RunPython(show_notes, migrations.RunPython.noop)]
