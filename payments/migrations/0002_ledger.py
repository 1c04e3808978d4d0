"""The database itself keeps the ledger: append-only, and one currency from end to end (M2, I9)."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION payments_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % of % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON payments_transfer
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON payments_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION payments_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON payments_account
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change();
"""

APPEND_ONLY_UNDO = """
DROP TRIGGER refuse_change ON payments_account;
DROP TRIGGER refuse_truncate ON payments_transfer;
DROP TRIGGER refuse_change ON payments_transfer;
DROP FUNCTION payments_refuse_change();
"""

# Two-column keys: the account (or held funds) must exist, and in the currency of the transfer.
ONE_CURRENCY = """
ALTER TABLE payments_transfer
    ADD CONSTRAINT transfer_source_currency
        FOREIGN KEY (source_id, currency) REFERENCES payments_account (id, currency),
    ADD CONSTRAINT transfer_destination_currency
        FOREIGN KEY (destination_id, currency) REFERENCES payments_account (id, currency),
    ADD CONSTRAINT transfer_held_currency
        FOREIGN KEY (held_id, currency) REFERENCES payments_heldfunds (id, currency);
"""

ONE_CURRENCY_UNDO = """
ALTER TABLE payments_transfer
    DROP CONSTRAINT transfer_held_currency,
    DROP CONSTRAINT transfer_destination_currency,
    DROP CONSTRAINT transfer_source_currency;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDO),
        migrations.RunSQL(ONE_CURRENCY, ONE_CURRENCY_UNDO),
    ]
