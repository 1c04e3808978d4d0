"""Published terms never change (G4): the database refuses it. The first row, and the first categories."""

from datetime import timedelta

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.utils import timezone

PROTECT = """
CREATE FUNCTION catalog_terms_are_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Published terms never change: publish new ones.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER catalog_terms_append_only BEFORE UPDATE OR DELETE ON catalog_terms
    FOR EACH ROW EXECUTE FUNCTION catalog_terms_are_immutable();
CREATE TRIGGER catalog_terms_no_truncate BEFORE TRUNCATE ON catalog_terms
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_terms_are_immutable();
"""
UNPROTECT = """
DROP TRIGGER catalog_terms_no_truncate ON catalog_terms;
DROP TRIGGER catalog_terms_append_only ON catalog_terms;
DROP FUNCTION catalog_terms_are_immutable();
"""
PRICE_LIMITS = {
    "USD": [300, 5_000_000],
    "EUR": [300, 5_000_000],
    "GBP": [300, 5_000_000],
    "CHF": [300, 5_000_000],
    "PLN": [1_000, 20_000_000],
    "MXN": [5_000, 100_000_000],
    "BRL": [1_500, 25_000_000],
    "INR": [20_000, 400_000_000],
    "AUD": [500, 7_500_000],
    "CAD": [500, 7_500_000],
    "JPY": [400, 7_500_000],
    "KRW": [4_000, 70_000_000],
    "CLP": [3_000, 50_000_000],
    "KWD": [1_000, 15_000_000],
    "BHD": [1_000, 20_000_000],
    "TND": [9_000, 150_000_000],
}
CATEGORIES = [
    ("Logo and brand", "logo-and-brand"),
    ("Video and animation", "video-and-animation"),
    ("Illustration", "illustration"),
    ("Websites", "websites"),
    ("Writing and translation", "writing-and-translation"),
    ("Music and audio", "music-and-audio"),
    ("Programming", "programming"),
    ("Marketing", "marketing"),
]


def publish_first_terms(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("catalog", "Terms").objects.create(
        price_limits=PRICE_LIMITS,
        max_milestones=20,
        note="The terms the marketplace starts with.",
        published_at=timezone.now(),
        review=timedelta(days=8),
        payment=timedelta(hours=24),
        processing=timedelta(days=14),
        offer=timedelta(days=14),
        revision=timedelta(days=3),
        very_late=timedelta(hours=24),
        abandoned=timedelta(days=30),
        answer=timedelta(hours=48),
        escalation=timedelta(days=7),
        least_rest=timedelta(hours=24),
        support=timedelta(days=3),
        reviews=timedelta(days=14),
        clearing=timedelta(0),
        buyer_fee=550,
        commission=2000,
    )


def seed_categories(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    category = apps.get_model("catalog", "Category")
    category.objects.bulk_create(
        category(name=name, slug=slug, position=position) for position, (name, slug) in enumerate(CATEGORIES, start=1)
    )


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [
        migrations.RunPython(publish_first_terms, migrations.RunPython.noop),
        migrations.RunPython(seed_categories, migrations.RunPython.noop),
        migrations.RunSQL(PROTECT, UNPROTECT),
    ]
