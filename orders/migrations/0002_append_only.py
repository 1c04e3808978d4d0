"""The activity and the deliveries are append-only; the database refuses anything else (I9, O5)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION orders_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
""" + "".join(
    f"""
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION orders_refuse_change();
"""
    for table in ("orders_event", "orders_delivery")
)

BACKWARD = """
DROP TRIGGER refuse_truncate ON orders_delivery;
DROP TRIGGER refuse_change ON orders_delivery;
DROP TRIGGER refuse_truncate ON orders_event;
DROP TRIGGER refuse_change ON orders_event;
DROP FUNCTION orders_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
