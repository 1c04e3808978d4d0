"""Sessions know whose they are. The table was `django.contrib.sessions`'s; its rows stay, so nobody is signed out.

What is added has defaults: processes from before the upgrade go on writing their sessions.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLE = """
CREATE TABLE IF NOT EXISTS django_session (
    session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS django_session_session_key_c0390e0f_like ON django_session (session_key varchar_pattern_ops);
CREATE INDEX IF NOT EXISTS django_session_expire_date_a5c62663 ON django_session (expire_date);
ALTER TABLE django_session
    ADD COLUMN person_id bigint NULL CONSTRAINT django_session_person_id_fk REFERENCES accounts_user (id)
        DEFERRABLE INITIALLY DEFERRED,
    ADD COLUMN device varchar(300) NOT NULL DEFAULT '',
    ADD COLUMN started_at timestamp with time zone NULL,
    ADD COLUMN seen_at timestamp with time zone NULL;
CREATE INDEX django_session_person_id ON django_session (person_id);
"""
AS_IT_WAS = """
ALTER TABLE django_session DROP COLUMN person_id, DROP COLUMN device, DROP COLUMN started_at, DROP COLUMN seen_at;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_closed_accounts"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, AS_IT_WAS)],
            state_operations=[
                migrations.CreateModel(
                    name="Session",
                    fields=[
                        (
                            "session_key",
                            models.CharField(
                                max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                            ),
                        ),
                        ("session_data", models.TextField(verbose_name="session data")),
                        ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                        ("device", models.CharField(blank=True, db_default="", max_length=300)),
                        ("started_at", models.DateTimeField(null=True)),
                        ("seen_at", models.DateTimeField(null=True)),
                        (
                            "person",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="sessions",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "session",
                        "verbose_name_plural": "sessions",
                        "db_table": "django_session",
                        "abstract": False,
                    },
                ),
            ],
        ),
    ]
