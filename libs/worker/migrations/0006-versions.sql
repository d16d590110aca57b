-- Which step's worker a process is, and of which version: null of one that is older than this.
ALTER TABLE processes ADD COLUMN step text, ADD COLUMN version text;
