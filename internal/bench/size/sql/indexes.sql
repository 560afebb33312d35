-- What is made again when all rows are there, because that is faster: indexes and
-- exclusion constraints. Primary keys and unique constraints stay; rows come in their
-- order.
CREATE SCHEMA fill;

CREATE TABLE fill.indexes AS
SELECT conname::text AS name, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS remove,
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make
FROM pg_constraint
WHERE contype = 'x' AND connamespace = 'public'::regnamespace
UNION ALL
SELECT i.indexrelid::regclass::text, format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
FROM pg_index i
WHERE i.indrelid IN ('users'::regclass, 'tokens'::regclass, 'events'::regclass, 'slots'::regclass, 'bookings'::regclass, 'ledger'::regclass)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid);

DO $$
DECLARE
    index fill.indexes;
BEGIN
    FOR index IN SELECT * FROM fill.indexes LOOP
        EXECUTE index.remove;
    END LOOP;
END $$;
