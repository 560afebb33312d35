DROP FUNCTION expect_rows(text, bigint, bigint);
DROP TABLE ledger;
DROP FUNCTION ledger_refuse_change();
DROP TABLE bookings;
-- btree_gist stays, because it may have existed before.
