/*
 * imapd.conf: lines of `name value`, read into one struct by one table of options.  All that is wrong in
 * all files is reported in one run.  Pure but for the reader that is handed in and the checks of the world;
 * any thread, one at a time.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buffer.h"
#include "base/log.h"
#include "base/span.h"
#include "config/problems.h"

enum config_role { CONFIG_ROLE_CAS = 1, CONFIG_ROLE_MAILBOX = 2, CONFIG_ROLE_BOTH = 3 };	/* bits */
enum config_directory { CONFIG_DIRECTORY_SQLITE, CONFIG_DIRECTORY_LDAP, CONFIG_DIRECTORY_LINK };
enum config_login_type { CONFIG_LOGIN_PLAIN = 1, CONFIG_LOGIN_PLAIN_AUTH, CONFIG_LOGIN_SECURE };	/* as Exchange's */
enum config_tls_minimum { CONFIG_TLS_1_2, CONFIG_TLS_1_3 };
enum config_shared_seen { CONFIG_SEEN_PRIVATE, CONFIG_SEEN_SHARED };
enum config_upgrade { CONFIG_UPGRADE_WEAK, CONFIG_UPGRADE_ALL, CONFIG_UPGRADE_NONE };
enum config_over_quota { CONFIG_OVER_QUOTA_TEMPORARY, CONFIG_OVER_QUOTA_PERMANENT };
enum config_autoconfig_user { CONFIG_AUTOCONFIG_ADDRESS, CONFIG_AUTOCONFIG_LOCAL_PART };
enum config_compression { CONFIG_COMPRESSION_ZSTD, CONFIG_COMPRESSION_NONE };
enum config_flag_sync { CONFIG_FLAG_SYNC_LAZY, CONFIG_FLAG_SYNC_ALWAYS };

/* Where to listen: a TCP address, or a socket in the file system. */
struct config_listener {
	bool is_tls;		/* imaps: TLS from the first octet */
	bool is_proxy;		/* a PROXY header comes before anything else */
	char *path;		/* absolute, or NULL for TCP */
	char *host;		/* a numeric address or a name, without brackets; NULL with a path */
	uint16_t port;		/* 0 lets the system choose; 0 with a path */
	const struct config_place *place;	/* NULL: by default */
};

struct config_listeners {
	struct config_listener *at;
	size_t count;
};

/* A mailbox server on another host. */
struct config_server {
	char *name;		/* as homes of users name it */
	char *address;		/* "HOST:PORT" or "[ADDRESS]:PORT"; NULL: it was wrong */
	const struct config_place *place;
};

struct config_servers {
	struct config_server *at;
	size_t count;
};

/* A certificate for clients that ask for a name. */
struct config_certificate {
	char *name;		/* as SNI has it, or "*.example.org" */
	char *certificate, *key;
	const struct config_place *place;
};

struct config_certificates {
	struct config_certificate *at;
	size_t count;
};

/* IPv4 as ::ffff:0:0/96 in IPv6. */
struct config_network {
	uint8_t address[16];
	unsigned bits;		/* that count, of 128 */
};

struct config_networks {
	struct config_network *at;
	size_t count;
};

/* Which names in a client's certificate are users. */
enum config_user_field { CONFIG_USER_RFC822_NAME, CONFIG_USER_OTHER_NAME, CONFIG_USER_COMMON_NAME };

/* Who signs tokens, and the files that hold the keys. */
struct config_issuer {
	char *name;		/* as tokens name it */
	char **files;		/* absolute */
	size_t count;
	const struct config_place *place;
};

struct config_issuers {
	struct config_issuer *at;
	size_t count;
};

/* Capabilities that some clients do not get: those whom all that is said of them concerns. */
struct config_mask {
	char **capabilities;
	size_t count;
	char *user;		/* a pattern as in glob(7); or NULL */
	bool has_address;
	struct config_network address;
	char *id;		/* words of a value in ID; or NULL */
	const struct config_place *place;
};

struct config_masks {
	struct config_mask *at;
	size_t count;
};

struct config_uris {
	char **at;
	size_t count;
};

/* A struct config owns all it points to.  Members carry the names of their options. */
struct config {
	uint64_t config_version;
	char *hostname;				/* never NULL */
	int role;				/* enum config_role */
	bool start_services;			/* those that nobody has asked about yet */
	char *data_directory;
	char *control_socket;
	struct config_listeners admin_listen;	/* of the loopback alone */
	struct config_listeners metrics_listen;	/* of the loopback alone */
	struct config_listeners listen;
	struct config_networks proxy_trusted;
	struct config_listeners lmtp_listen;
	struct config_listeners autoconfig_listen;	/* is_tls: https */
	char *autoconfig_smtp;			/* HOST or HOST:PORT, for the users' programs; NULL: not said */
	int autoconfig_user;			/* enum config_autoconfig_user: by what users log in */
	char *postmaster;			/* the user who gets that mail; NULL: nobody, unless there is a user of this name */
	struct config_listeners link_listen;
	struct config_servers mailbox_server;
	struct config_servers login_referral;	/* the same names: where clients are sent instead */
	char *relay_ca;				/* NULL: the authorities of the system */
	struct config_uris relay_insecure;	/* hosts, as homes of users name them */
	uint64_t relay_timeout_s;
	bool relay_learn_passwords;
	int upgrade_passwords;			/* enum config_upgrade */
	char *link_key;				/* NULL: certificates, or no link between hosts */
	char *link_certificate, *link_private_key, *link_ca;	/* NULL: link_key, or no link */
	uint64_t mailbox_server_timeout_s, link_timeout_s;
	char *tls_certificate;			/* NULL: no TLS */
	char *tls_key;
	struct config_certificates tls_certificate_for;
	char *tls_client_ca;			/* NULL: no certificates of clients */
	int tls_client_user;			/* enum config_user_field */
	int tls_minimum;			/* enum config_tls_minimum */
	int directory;				/* enum config_directory */
	char *directory_server;			/* of directory link; NULL otherwise */
	struct config_uris ldap_servers;	/* of directory ldap, the preferred one first */
	char *ldap_base;			/* NULL without directory ldap */
	char *ldap_filter;
	char *ldap_user_attribute, *ldap_home_attribute;	/* home: NULL when all live here */
	char *ldap_delegate_attribute, *ldap_master_group;	/* NULL: nobody acts as another by these */
	char *master_separator;			/* one character, or "none" */
	char *ldap_quota_attribute;		/* NULL: no quotas there */
	int ldap_quota_unit;			/* octets that a number there counts */
	char *ldap_group_attribute, *ldap_group_base, *ldap_group_filter;	/* NULL: no groups by these */
	char *ldap_bind_dn, *ldap_password_file;	/* NULL: search without a name */
	char *ldap_tls_ca;
	bool ldap_starttls;
	uint64_t ldap_timeout_s, ldap_retry_time_s, ldap_cache_time_s;
	char *user, *group;			/* NULL: stay who started it */
	int log_level;				/* enum log_level */
	char *protocol_log;			/* a folder; NULL: there is no protocol log */
	uint64_t protocol_log_size_octets, protocol_log_time_s;
	char *banner;				/* NULL: the hostname is ready */
	int login_type;				/* enum config_login_type */
	struct config_issuers oauth_issuer;
	struct config_uris oauth_audience;	/* one or more with an issuer */
	char *oauth_scope;			/* NULL: any */
	char *oauth_user_claim;
	uint64_t oauth_clock_skew_s;
	char *oauth_openid_configuration;	/* NULL: not told */
	struct config_uris auth_mechanisms;	/* names as in RFC 4422, one or more */
	struct config_masks capability_mask;
	bool uidonly;				/* offer UIDONLY, RFC 9586 */
	struct config_uris deny_users;		/* as written */
	uint64_t login_timeout_s, handshake_timeout_s, idle_timeout_s;
	uint64_t drain_time_s;
	uint64_t auth_cache_time_s;
	uint64_t max_connections, max_connections_per_user, max_connections_per_address;
	uint64_t max_command_size_octets;
	uint64_t message_size_limit_octets;
	uint64_t message_limit, save_limit;	/* messages in one command, RFC 9738; 0: any number */
	uint64_t command_cpu_limit_ms;
	uint64_t quota_storage_octets, quota_messages, quota_mailboxes;	/* of each user; 0: any number */
	uint64_t quota_warning_percent;		/* 0: never */
	int lmtp_over_quota;			/* enum config_over_quota */
	int shared_seen;			/* enum config_shared_seen */
	uint64_t expunge_retention_s;		/* for how long expunged mail is kept; 0: not at all */
	char *server_comment, *server_admin;	/* NULL: none; RFC 5464 section 6.2 */
	char *namespace_others;			/* a folder's name: other users' mailboxes lie below it */
	char *namespace_shared;			/* likewise those of shared accounts */
	uint64_t storage_threads;
	uint64_t compute_threads;		/* 0: auto, as many as the machine has cores */
	uint64_t open_databases;
	int storage_compression;		/* enum config_compression */
	int flag_sync;				/* enum config_flag_sync */
	struct config_places *places;		/* where each option was set; config/ alone looks inside */
};

/* What tells files apart that have several names; zeroed: nothing does. */
struct config_file_id {
	uint64_t device, inode;
};

/*
 * Append the text of a file.  False, with a static reason such as "No such file or directory", when it
 * cannot be read.
 */
typedef bool config_reader(void *context, const char *path, struct buffer *text_out,
    struct config_file_id *id_out, const char **reason_out);

/* The reader that reads files; context is not used.  A file above 1 MiB is refused.  Blocks. */
bool config_read_file(void *context, const char *path, struct buffer *text_out,
    struct config_file_id *id_out, const char **reason_out);

/*
 * Read a file and what it includes.
 *
 *	path		of the first file, as problems name it
 *	problems_out	gets all that is wrong in all files
 *
 * Gives a configuration, also when there are problems: what was said wrongly is then as if it had not been said, so
 * that the rest can be looked at.  NULL: the first file cannot be read.
 */
struct config *config_load(const char *path, config_reader *reader, void *context,
    struct config_problems *problems_out);

void config_free(struct config **config);

/* Where an option was set first; NULL: in no file. */
const struct config_place *config_place(const struct config *config, const char *option);

/* Where the name of this index was said, of an option that takes names, as many as one likes in each line. */
const struct config_place *config_name_place(const struct config *config, const char *option, size_t index,
    unsigned *word_out);

/* The names of the files that were read, the first one first; NULL past the end.  Borrowed. */
const char *config_file(const struct config *config, size_t index);

/* What --role= says wins over the file.  False, with a problem: there is no such role.  config may be NULL. */
bool config_set_role(struct config *config, struct span role, struct config_problems *problems);

/* Note what of the options does not fit each other, after --role is known. */
void config_check(const struct config *config, struct config_problems *problems);

/*
 * Note how the world does not fit the options, as far as the kernel asks who we are: files and folders that are
 * there and can be used.  Looks at files; blocks.
 *
 *	config_check_sockets()	what a process opens before it becomes the configured user
 *	config_check_files()	what it opens as that user; it is that user who has to call
 */
void config_check_sockets(const struct config *config, struct config_problems *problems);
void config_check_files(const struct config *config, struct config_problems *problems);

/* Note a user and a group that do not exist. */
void config_check_identity(const struct config *config, struct config_problems *problems);

/* Whether what files say of an option can be used; true when they say nothing. */
bool config_is_usable(const struct config *config, const char *option);

/* Append "ADDRESS:PORT", "[ADDRESS]:PORT" or the path. */
void config_listener_print(const struct config_listener *listener, struct buffer *out);

/* The same, given. */
char *config_listener_string(const struct config_listener *listener);

/* Which word of its line the address is, for config_complain(). */
unsigned config_listener_word(const struct config *config, const struct config_listener *listener);

/* What an empty file says. */
struct config *config_defaults(void);

/*
 * Append an option's lines of a file that config_load() reads, as many as it has values; nothing when it has none.
 *
 *	option	index in the table, as of config_option_name()
 */
void config_print_option(const struct config *config, size_t option, struct buffer *out);

/* Append "FILE:LINE" of what config_print_option() has in a line of this index, or "default". */
void config_print_origin(const struct config *config, size_t option, size_t line, struct buffer *out);

/* Whether another value of an option is used at the next start only, and not after a reload. */
bool config_option_needs_restart(size_t option);

/*
 * Append a line for each option whose values differ and that applies only at the next start: its name,
 * and that this is so.  The others may be taken from after on reload.
 */
void config_list_restart_needed(const struct config *before, const struct config *after,
    struct buffer *lines_out);

/* Whether auth-mechanisms holds this name, which is written as its table has it. */
bool config_has_mechanism(const struct config *config, const char *name);

/* Whether new passwords need keys for SCRAM-SHA-1, too. */
bool config_wants_sha1_keys(const struct config *config);

/*
 * Note what capability-mask names and is not there, or cannot be masked.
 *
 *	name_at		walks the names, without those of mechanisms; NULL past the end
 *	objection_to	why the one of this index cannot be masked, or not by user; NULL: it can
 */
void config_check_masks(const struct config *config, const char *(*name_at)(size_t index),
    const char *(*objection_to)(size_t index, bool is_for_users), struct config_problems *problems);

/* What is known of a client, for capability-mask; borrowed. */
struct config_client {
	const char *user;		/* NULL: not known yet */
	const char *address;		/* numeric; NULL: not known */
	struct span id;			/* the values of its ID, printable ASCII */
};

/* Call back with each capability that is masked for this client, once or more. */
typedef void config_masked(const char *capability, void *context);
void config_mask(const struct config *config, const struct config_client *client, config_masked *on_masked,
    void *context);

/*
 * Read a network: an address, a slash and how many bits of it count, the others being taken away; an address alone is
 * itself.  False: it is none.
 */
bool config_network_parse(struct span text, struct config_network *network_out);

/* Whether a numeric address, without port, lies in one of the networks. */
bool config_networks_have(const struct config_networks *networks, const char *address);

/* The names of all options in the order of the table; NULL past the end.  Static. */
const char *config_option_name(size_t index);

/* Its index.  False: there is none, and reason_out gets what was probably meant, if anything was. */
bool config_option_find(struct span name, size_t *index_out, struct buffer *reason_out);

/* What parts a user from the master who acts as that one; 0: nothing does. */
static inline uint8_t
config_master_separator(const struct config *config)
{
	const char *text = config->master_separator;

	return text != NULL && text[0] != '\0' && text[1] == '\0' ? (uint8_t)text[0] : 0;
}

#endif
