-- What a user may keep instead of what the configuration says: NULL is as configured, -1 no limit.
-- Of a user in LDAP, what the entry has said last.
ALTER TABLE user ADD COLUMN quota_storage INTEGER CHECK (quota_storage > 0 OR quota_storage = -1);	-- octets
ALTER TABLE user ADD COLUMN quota_messages INTEGER CHECK (quota_messages > 0 OR quota_messages = -1);
ALTER TABLE user ADD COLUMN quota_mailboxes INTEGER CHECK (quota_mailboxes > 0 OR quota_mailboxes = -1);
CREATE INDEX user_quota ON user (name) WHERE coalesce(quota_storage, quota_messages, quota_mailboxes) IS NOT NULL;
