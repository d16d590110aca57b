-- Which saga had a version made anew: one that is done again finds its own. Null: the tenant's making.
ALTER TABLE secrets ADD COLUMN made_for text;
