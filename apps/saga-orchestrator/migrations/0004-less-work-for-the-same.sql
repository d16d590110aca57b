-- Headers are read back by the sender alone: as text they are not parsed a second time on their way in.
ALTER TABLE outbox ALTER COLUMN headers TYPE text;

-- No query asks for what is in these, and autovacuum need not look at thousands of their values.
ALTER TABLE outbox ALTER COLUMN value SET STATISTICS 0, ALTER COLUMN headers SET STATISTICS 0;
ALTER TABLE history ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE sagas ALTER COLUMN snapshot SET STATISTICS 0, ALTER COLUMN steps SET STATISTICS 0,
  ALTER COLUMN timers SET STATISTICS 0, ALTER COLUMN request SET STATISTICS 0;
