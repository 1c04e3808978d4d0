"""Notices that tell an event have no words of their own any more; those that are there keep theirs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_pages_by_key")]

    operations = [
        migrations.RenameField("notice", "title", "own_title"),
        migrations.RenameField("notice", "text", "own_text"),
        migrations.AlterField(
            "notice",
            "own_title",
            models.CharField(
                blank=True,
                help_text="Empty: the notice tells what its key names, in words that are found when it is read.",
                max_length=200,
                verbose_name="title",
            ),
        ),
        migrations.AddField(
            "notice",
            "until",
            models.DateTimeField(
                blank=True,
                help_text="The deadline, as it was then, of which such words speak.",
                null=True,
                verbose_name="until",
            ),
        ),
    ]
