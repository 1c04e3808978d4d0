"""Support may read reviews, and hide them."""

from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def let_support_hide(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    create_permissions(installed.get_app_config("reviews"), verbosity=0)
    groups, permissions = apps.get_model("auth", "Group").objects, apps.get_model("auth", "Permission").objects
    may = permissions.filter(content_type__app_label="reviews", codename__in=["view_review", "change_review"])
    groups.get(name="Support").permissions.add(*may)


class Migration(migrations.Migration):
    dependencies = [("marketplace", "0001_groups"), ("reviews", "0001_initial")]

    operations = [migrations.RunPython(let_support_hide, migrations.RunPython.noop)]
