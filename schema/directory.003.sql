-- The entry in LDAP that a row belongs to, whatever names the entry has.

-- "entryUUID=…", "objectGUID=…", "nsUniqueId=…", or "dn=…" where a server tells none of them.  Empty: none yet,
-- the next entry that has the name gets the row.
ALTER TABLE user ADD COLUMN entry TEXT NOT NULL DEFAULT '';
ALTER TABLE user ADD COLUMN entry_dn TEXT NOT NULL DEFAULT '';	-- "dn=…" in lower case: where it was seen last
CREATE UNIQUE INDEX user_entry ON user (entry) WHERE entry != '';
CREATE INDEX user_entry_dn ON user (entry_dn) WHERE entry_dn != '';
