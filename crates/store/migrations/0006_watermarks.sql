-- How far a member has received and read the channel: everything up to these messages, and when they last moved. That is all
-- there is of receipts, whatever the number of messages. Of what was sent before this step nothing is known to be received.
ALTER TABLE members ADD COLUMN delivered_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN delivered_at INTEGER;
ALTER TABLE members ADD COLUMN seen_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN seen_at INTEGER;
