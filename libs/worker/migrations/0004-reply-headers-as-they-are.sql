-- Nothing looks into them: json is kept as the text that it is.
ALTER TABLE parts ALTER COLUMN reply_headers TYPE json USING reply_headers::json;
ALTER TABLE parts ALTER COLUMN reply SET STATISTICS 0, ALTER COLUMN reply_headers SET STATISTICS 0;
