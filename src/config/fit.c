/*
 * What no single line can tell: whether the options fit each other.  Pure.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "options.h"

#define LISTENERS_MAX 256	/* more are not compared with each other */

struct fit {
	const struct config *config;
	struct config_problems *problems;
};

static void
complain(const struct fit *fit, const char *option, unsigned word, const char *text)
{
	config_complain(fit->problems, CONFIG_WRONG, config_place(fit->config, option), word, "%s: %s", option, text);
}

static void
warn(const struct fit *fit, const struct config_place *place, unsigned word, const char *text)
{
	config_complain(fit->problems, CONFIG_WARNING, place, word, "%s", text);
}

bool
config_set_role(struct config *config, struct span role, struct config_problems *problems)
{
	const struct option *option = &options[option_find(SPAN("role"))];
	struct config scratch = { 0 };
	struct buffer reason = { 0 }, text = { 0 };
	struct setting setting = { option, config == NULL ? &scratch : config, NULL, &role, 1, NULL, 0, &reason, false };
	bool is_good = option_set(&setting);

	if (is_good && config != NULL)
		config->places->is_role_given = true;
	if (!is_good) {
		buffer_printf(&text, "--role=%.*s: %s", SPAN_ARGS(role), buffer_string(&reason));
		config_complain_at(problems, CONFIG_WRONG, NULL, 0, 0, 0, buffer_string(&text));
	}
	buffer_free(&reason);
	buffer_free(&text);
	return is_good;
}

static bool
has_scram(const struct config *config)
{
	return config_has_mechanism(config, "SCRAM-SHA-1") || config_has_mechanism(config, "SCRAM-SHA-256");
}

/* Whether somebody can be proved by something else than a password. */
static bool
has_other_proof(const struct config *config)
{
	bool has_token = config_has_mechanism(config, "OAUTHBEARER") || config_has_mechanism(config, "XOAUTH2");

	return (has_token && option_is_said(config, "oauth-issuer")) ||
	    (config_has_mechanism(config, "EXTERNAL") && option_is_said(config, "tls-client-ca"));
}

/* Without keys in the directory a password must be said; tokens and certificates need somebody who gives them out. */
static void
check_mechanisms(const struct fit *fit)
{
	const struct config *config = fit->config;

	if (!config_is_usable(config, "auth-mechanisms") || config_has_mechanism(config, "PLAIN") ||
	    config_has_mechanism(config, "LOGIN") || has_other_proof(config))
		return;
	if (!has_scram(config))
		complain(fit, "auth-mechanisms", 1, "nobody could log in: tokens need oauth-issuer, and EXTERNAL needs "
		    "tls-client-ca");
	else if (config->directory != CONFIG_DIRECTORY_SQLITE)
		complain(fit, "auth-mechanisms", 1, "only directory sqlite has keys for SCRAM; the others need PLAIN or "
		    "LOGIN");
}

/* An issuer's tokens for somebody else are no proof to us. */
static void
check_tokens(const struct fit *fit)
{
	if (option_is_said(fit->config, "oauth-issuer") && !option_is_said(fit->config, "oauth-audience"))
		complain(fit, "oauth-issuer", 0, "oauth-audience is missing: whom the tokens have to be for");
}

/* RFC 9738 section 3: how low a limit may be, and that MESSAGELIMIT is about all that SAVELIMIT is about. */
static void
check_limits(const struct fit *fit)
{
	static const char too_low[] = "clients that do not know of it would be lost: 0, which is no limit, or at least 1000";
	const struct config *config = fit->config;

	if (config->message_limit > 0 && config->message_limit < 1000)
		complain(fit, "message-limit", 1, too_low);
	if (config->save_limit > 0 && config->save_limit < 1000)
		complain(fit, "save-limit", 1, too_low);
	if (config->message_limit > 0 && config->save_limit > 0)
		complain(fit, "save-limit", 0, "message-limit holds for COPY and APPEND, too: only one of them can be said");
}

static void
check_namespaces(const struct fit *fit)
{
	const struct config *config = fit->config;

	if (strcmp(config->namespace_shared, config->namespace_others) == 0)
		complain(fit, "namespace-shared", 1, "another folder than that of namespace-others");
}

/* Whether anybody could log in without TLS. */
static bool
has_plain_login(const struct config *config)
{
	if (config->login_type == CONFIG_LOGIN_PLAIN_AUTH)	/* the other directories know no SCRAM */
		return config->directory == CONFIG_DIRECTORY_SQLITE &&
		    (has_scram(config) || !config_is_usable(config, "auth-mechanisms"));
	return config->login_type == CONFIG_LOGIN_PLAIN;
}

static void
check_listener(const struct fit *fit, const struct config_listener *listener)
{
	if (listener->is_proxy && !option_is_said(fit->config, "proxy-trusted"))
		config_complain(fit->problems, CONFIG_WRONG, listener->place, 3,
		    "proxy needs proxy-trusted: who may say for whom it speaks");
	if (listener->is_tls && listener->port == 143)
		warn(fit, listener->place, 1, "imaps on port 143, where clients begin without TLS; did you mean imap?");
	if (!listener->is_tls && listener->port == 993)
		warn(fit, listener->place, 1, "imap on port 993, where clients begin with TLS; did you mean imaps?");
}

/* A pattern names the user by %u, or by %n and %d, or by %D; any other % would be a slip. */
static void
check_pattern(const struct fit *fit, const char *name, const char *pattern, const char *places, bool *has_user_out)
{
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%')
			continue;
		pattern++;
		if (*pattern == '\0' || strchr(places, *pattern) == NULL) {
			complain(fit, name, 1, strchr(places, 'D') == NULL ?
			    "only %u, %n, %d and %% may follow a percent sign" :
			    "only %u, %n, %d, %D and %% may follow a percent sign");
			return;
		}
		*has_user_out = *has_user_out || strchr("unD", *pattern) != NULL;
	}
}

/* Every parenthesis has its other one; a backslash and two digits stand for an octet (RFC 4515 section 3). */
static bool
is_balanced(const char *filter)
{
	int depth = 0;

	for (; *filter != '\0' && depth >= 0; filter++)
		depth += *filter == '(' ? 1 : *filter == ')' ? -1 : 0;
	return depth == 0;
}

/* Behind a parenthesis stand & | ! and filters, or an attribute; filters beside each other need what joins them. */
static bool
is_joined(const char *filter)
{
	for (size_t i = 0; filter[i] != '\0'; i++) {
		if (filter[i] != '(')
			continue;
		if (strchr("()=", filter[i + 1]) != NULL)
			return false;
		if (strchr("&|!", filter[i + 1]) == NULL && filter[i + 1 + strcspn(filter + i + 1, "(=)")] != '=')
			return false;
	}
	return true;
}

static void
check_filter(const struct fit *fit, const char *name, const char *filter, bool has_user)
{
	if (!has_user)
		complain(fit, name, 1, "without %u or %n it fits everybody");
	if (filter[0] != '(' || filter[strlen(filter) - 1] != ')')
		complain(fit, name, 1, "a filter stands in parentheses");
	else if (!is_balanced(filter))
		complain(fit, name, 1, "its parentheses do not match");
	else if (!is_joined(filter))
		complain(fit, name, 1, "in each of its parentheses stands ATTRIBUTE=VALUE, or one of & | ! and more parentheses");
}

static void
check_ldap_groups(const struct fit *fit)
{
	const struct config *config = fit->config;
	bool has_user = false;

	if (config->ldap_group_base != NULL)
		check_pattern(fit, "ldap-group-base", config->ldap_group_base, "undD%", &has_user);
	if (config->ldap_group_filter != NULL) {
		check_pattern(fit, "ldap-group-filter", config->ldap_group_filter, "undD%", &has_user);
		check_filter(fit, "ldap-group-filter", config->ldap_group_filter, has_user);
	}
	if (config->ldap_group_filter != NULL && config->ldap_group_base == NULL)
		complain(fit, "ldap-group-filter", 1, "ldap-group-base is missing");
	if (config->ldap_group_base != NULL && config->ldap_group_filter == NULL)
		complain(fit, "ldap-group-base", 1, "ldap-group-filter is missing");
}

/* What parts a user from the master who acts as that one: nothing that is within names all the time. */
static void
check_separator(const struct fit *fit)
{
	const char *text = fit->config->master_separator;

	if (strcmp(text, "none") != 0 && (strlen(text) != 1 || strchr("*%+!$&:;=?^|~", text[0]) == NULL))
		complain(fit, "master-separator", 1, "one of * % + ! $ & : ; = ? ^ | ~, or none");
}

static void
check_ldap(const struct fit *fit)
{
	const struct config *config = fit->config;
	bool has_user = false;

	if (!option_is_said(config, "ldap-base"))
		complain(fit, "directory", 1, "ldap needs ldap-base");
	if (config->ldap_base != NULL)
		check_pattern(fit, "ldap-base", config->ldap_base, "und%", &has_user);
	check_pattern(fit, "ldap-filter", config->ldap_filter, "und%", &has_user);
	check_filter(fit, "ldap-filter", config->ldap_filter, has_user || config->ldap_base == NULL);
	check_ldap_groups(fit);
	if (config->ldap_bind_dn != NULL && !option_is_said(config, "ldap-password-file"))
		complain(fit, "ldap-bind-dn", 1, "ldap-password-file is missing");
	if (config->ldap_password_file != NULL && !option_is_said(config, "ldap-bind-dn"))
		complain(fit, "ldap-password-file", 1, "ldap-bind-dn is missing");
}

/* What proves one host to another: the key that both have, or certificates of an authority of the site. */
static void
check_link_proof(const struct fit *fit, const char *name)
{
	static const char *const files[] = { "link-certificate", "link-private-key", "link-ca" };
	const struct config *config = fit->config;
	unsigned count = 0;

	for (size_t i = 0; i < COUNT_OF(files); i++)
		count += option_is_said(config, files[i]);
	if (option_is_said(config, "link-key") && count > 0)
		complain(fit, "link-key", 1, "either this, or link-certificate, link-private-key and link-ca");
	else if (count > 0 && count < 3)
		for (size_t i = 0; i < COUNT_OF(files); i++) {
			if (!option_is_said(config, files[i]))
				config_complain(fit->problems, CONFIG_WRONG, config_place(config, name), 0,
				    "%s: %s is missing, which has to go with the others of link-certificate, "
				    "link-private-key and link-ca", name, files[i]);
		}
	else if (!option_is_said(config, "link-key") && count == 0)
		complain(fit, name, 0, "between hosts link-key is needed, or link-certificate, link-private-key and "
		    "link-ca");
}

/* A service alone is one of two hosts; which option says so depends on who said the role. */
static void
check_other_half(const struct fit *fit, const char *role, const char *needed, const char *what_it_says)
{
	bool is_given = fit->config->places->is_role_given;

	if (option_is_said(fit->config, needed))
		return;
	config_complain(fit->problems, CONFIG_WRONG, is_given ? NULL : config_place(fit->config, "role"), 1,
	    "%s%s: a service on a host of its own needs %s, %s; one host for everything has role both, and "
	    "imapd.service", is_given ? "--role=" : "role ", role, needed, what_it_says);
}

static bool
has_server(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->mailbox_server.count; i++)
		if (strcmp(config->mailbox_server.at[i].name, name) == 0)
			return true;
	return false;
}

/* A word that names a mailbox server should name one that there is. */
static void
check_server_name(const struct fit *fit, const char *option, const struct config_place *place, unsigned word,
    const char *name)
{
	const struct config *config = fit->config;
	struct suggestion suggestion = { 0 };
	struct buffer hint = { 0 };

	if (has_server(config, name) ||
	    (config->mailbox_server.count == 0 && option_is_said(config, "mailbox-server")))
		return;
	for (size_t i = 0; i < config->mailbox_server.count; i++)
		suggestion_consider(&suggestion, span_from_string(name), config->mailbox_server.at[i].name);
	suggestion_print(&suggestion, &hint);
	if (suggestion.best == NULL && config->mailbox_server.count > 0)
		buffer_printf(&hint, "; there is %s", config->mailbox_server.at[0].name);
	config_complain(fit->problems, CONFIG_WRONG, place, word, "%s: there is no mailbox-server \"%s\"%s", option, name,
	    buffer_string(&hint));
	buffer_free(&hint);
}

static void
check_directory_link(const struct fit *fit)
{
	const struct config *config = fit->config;

	if (config->role & CONFIG_ROLE_MAILBOX)
		complain(fit, "directory", 1, "link is for role cas alone: a mailbox server has a directory of its own");
	if (config->directory_server != NULL)
		check_server_name(fit, "directory", config_place(config, "directory"), 2, config->directory_server);
}

static void
check_referrals(const struct fit *fit)
{
	const struct config_servers *referrals = &fit->config->login_referral;

	for (size_t i = 0; i < referrals->count; i++)
		if (!option_is_foreign_home(referrals->at[i].name))
			check_server_name(fit, "login-referral", referrals->at[i].place, 1, referrals->at[i].name);
}

static void
check_link(const struct fit *fit)
{
	const struct config *config = fit->config;

	if (config->role == CONFIG_ROLE_CAS)
		check_other_half(fit, "cas", "mailbox-server", "which says where the mail is");
	if (config->role == CONFIG_ROLE_MAILBOX)
		check_other_half(fit, "mailbox", "link-listen", "where the client access server reaches it");
	if ((config->role & CONFIG_ROLE_CAS) && option_is_said(config, "mailbox-server"))
		check_link_proof(fit, "mailbox-server");
	else if ((config->role & CONFIG_ROLE_MAILBOX) && config->link_listen.count > 0)
		check_link_proof(fit, "link-listen");
	if (config->directory == CONFIG_DIRECTORY_LINK)
		check_directory_link(fit);
	check_referrals(fit);
}

/* Without a certificate: every port that needs one, or that nobody could log in. */
static void
check_need_of_tls(const struct fit *fit)
{
	const struct config_listeners *listen = &fit->config->listen;
	size_t count = 0;

	for (size_t i = 0; i < listen->count; i++) {
		if (!listen->at[i].is_tls)
			continue;
		count++;
		config_complain(fit->problems, CONFIG_WRONG, listen->at[i].place, 1, "%simaps needs tls-certificate and "
		    "tls-key", listen->at[i].place == NULL ? "listen: by default there is imaps [::]:993, and " : "");
	}
	if (count == 0 && listen->count > 0 && config_is_usable(fit->config, "listen") && !has_plain_login(fit->config))
		complain(fit, "listen", 0, "nobody can log in without tls-certificate and tls-key, or another "
		    "login-type");
}

static void
check_tls(const struct fit *fit)
{
	const struct config *config = fit->config;
	bool has_certificate = option_is_said(config, "tls-certificate"), has_key = option_is_said(config, "tls-key");

	if (has_certificate && !has_key)
		complain(fit, "tls-certificate", 1, "tls-key is missing");
	if (has_key && !has_certificate)
		complain(fit, "tls-key", 1, "tls-certificate is missing");
	if (has_certificate || has_key)
		return;
	if (config->tls_client_ca != NULL)
		complain(fit, "tls-client-ca", 0, "certificates of clients need TLS, and that tls-certificate");
	if (config->tls_certificate_for.count > 0)
		complain(fit, "tls-certificate-for", 0, "clients that ask for no name need tls-certificate");
	if (config->role & CONFIG_ROLE_CAS)
		check_need_of_tls(fit);
}

static size_t
add_listeners(const struct config_listeners *listeners, const struct config_listener **all, size_t count)
{
	for (size_t i = 0; i < listeners->count && count < LISTENERS_MAX; i++)
		all[count++] = &listeners->at[i];
	return count;
}

static bool
is_later(const struct config_place *a, const struct config_place *b)
{
	if (a == NULL || b == NULL)
		return a != NULL;
	return a->file_number != b->file_number ? a->file_number > b->file_number : a->line > b->line;
}

void
config_complain_of_clash(const struct config *config, const struct config_listener *one,
    const struct config_listener *other, struct config_problems *problems)
{
	bool is_first_later = is_later(one->place, other->place);
	const struct config_listener *later = is_first_later ? one : other, *before = is_first_later ? other : one;
	const struct config_place *place = before->place;
	struct buffer text = { 0 };

	config_listener_print(later, &text);
	buffer_add_string(&text, " cannot be listened at beside ");
	config_listener_print(before, &text);
	if (place != NULL)
		buffer_printf(&text, " in %s:%u", place->file, place->line);
	else
		buffer_add_string(&text, ", which is there by default");
	config_complain(problems, CONFIG_WRONG, later->place, config_listener_word(config, later), "%s",
	    buffer_string(&text));
	buffer_free(&text);
}

/* Thunderbird takes no settings without a server for outgoing mail, and Apple's programs no profile. */
static void
check_autoconfig(const struct fit *fit)
{
	const struct config *config = fit->config;
	const struct config_listeners *listeners = &config->autoconfig_listen;

	if (listeners->count > 0 && !option_is_said(config, "autoconfig-smtp"))
		complain(fit, "autoconfig-listen", 0, "autoconfig-smtp is missing, the server for outgoing mail, without which "
		    "programs take no settings");
	if (listeners->count > 0 && strchr(config->hostname, '.') == NULL)
		config_complain(fit->problems, CONFIG_WRONG, config_place(config, "hostname"), 1, "hostname: programs would be told "
		    "to use the server \"%s\", which they cannot find: autoconfig-listen needs its whole name", config->hostname);
	for (size_t i = 0; i < listeners->count; i++) {
		const struct config_listener *listener = &listeners->at[i];

		if (listener->is_tls && !option_is_said(config, "tls-certificate"))
			config_complain(fit->problems, CONFIG_WRONG, listener->place, 1, "autoconfig-listen: https needs "
			    "tls-certificate and tls-key");
		if (listener->port == (listener->is_tls ? 80 : 443))
			warn(fit, listener->place, 2, listener->is_tls ? "https on port 80, where clients begin without TLS; did you "
			    "mean 443?" : "http on port 443, where clients begin with TLS; did you mean 80?");
	}
}

static void
check_clashes(const struct fit *fit)
{
	const struct config *config = fit->config;
	const struct config_listener *all[LISTENERS_MAX];
	const struct config_listener control = { .path = config->control_socket,
		.place = config_place(config, "control-socket") };
	size_t count = 0;

	all[count++] = &control;
	count = add_listeners(&config->admin_listen, all, count);
	count = add_listeners(&config->metrics_listen, all, count);
	if (config->role & CONFIG_ROLE_CAS)
		count = add_listeners(&config->autoconfig_listen, all, add_listeners(&config->listen, all, count));
	if (config->role & CONFIG_ROLE_MAILBOX)
		count = add_listeners(&config->link_listen, all, add_listeners(&config->lmtp_listen, all, count));
	for (size_t i = 0; i < count; i++) {
		if (all[i]->path == NULL && all[i]->port == 0)
			warn(fit, all[i]->place, config_listener_word(config, all[i]), "port 0 is whatever the system "
			    "chooses, another one at each start");
		for (size_t j = 0; j < i; j++)
			if (network_listeners_clash(all[j], all[i]))
				config_complain_of_clash(config, all[j], all[i], fit->problems);
	}
}

void
config_check(const struct config *config, struct config_problems *problems)
{
	const struct fit fit = { config, problems };

	check_link(&fit);
	for (size_t i = 0; i < config->listen.count && (config->role & CONFIG_ROLE_CAS); i++)
		check_listener(&fit, &config->listen.at[i]);
	if (config->role & CONFIG_ROLE_CAS) {
		check_mechanisms(&fit);
		check_tokens(&fit);
	}
	check_separator(&fit);
	check_limits(&fit);
	check_namespaces(&fit);
	check_tls(&fit);
	if (config->role & CONFIG_ROLE_CAS)
		check_autoconfig(&fit);
	check_clashes(&fit);
	if (config->directory == CONFIG_DIRECTORY_LDAP)
		check_ldap(&fit);
	config_check_use(config, problems);
	config_check_doubts(config, problems);
}
