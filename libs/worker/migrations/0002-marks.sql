-- Whose purge may destroy a thing: the saga that suspended or is removing its tenant. Undelete takes the mark away.
ALTER TABLE ledger ADD COLUMN marked_by text;
