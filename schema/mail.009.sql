-- What would go with the messages that are marked to be deleted (RFC 9208 section 4.1.4, DELETED-STORAGE).

ALTER TABLE mailbox ADD COLUMN deleted_size INTEGER NOT NULL DEFAULT 0;	-- sum of the sizes of those with \Deleted
UPDATE mailbox SET deleted_size = (SELECT coalesce(sum(size), 0) FROM message WHERE mailbox_id = id AND flags & 4)
    WHERE deleted > 0;
