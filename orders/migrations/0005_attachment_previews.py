"""Previews of pictures, drawn after the upload; those of the pictures that are already there are owed."""

from django.db import migrations, models

import orders.models.attachment

OWE = """
UPDATE orders_attachment SET preview_tries = 3
WHERE withheld_at IS NULL AND content_type IN ('image/png', 'image/jpeg', 'image/gif', 'image/webp');
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0004_read_marks")]

    operations = [
        migrations.AddField("attachment", "height", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField(
            "attachment", "preview", models.FileField(blank=True, upload_to=orders.models.attachment.stored_name)
        ),
        migrations.AddField("attachment", "preview_tries", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField(
            "attachment", "thumbnail", models.FileField(blank=True, upload_to=orders.models.attachment.stored_name)
        ),
        migrations.AddField("attachment", "width", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddIndex(
            "attachment",
            models.Index(condition=models.Q(("preview_tries__gt", 0)), fields=["id"], name="attachments_to_draw"),
        ),
        migrations.RunSQL(OWE, migrations.RunSQL.noop),
    ]
