/*
 * The verbs, and how they are found.
 */
#ifndef IMAPCTL_VERBS_H
#define IMAPCTL_VERBS_H

#include "../ctl/order.h"

extern const struct verb verbs[];	/* the last has no name */

/* Find by the first one or two words; *used_out says how many. */
const struct verb *verb_find(char *const *words, size_t count, size_t *used_out);

/* The verb whose name is nearest to what was typed, or NULL when none is near. */
const struct verb *verb_suggest(char *const *words, size_t count);

/* The verbs; each returns an exit code. */
int run_user_add(const struct order *order);
int run_user_import(const struct order *order);
int run_alias_import(const struct order *order);
int run_user_passwd(const struct order *order);
int run_user_rename(const struct order *order);
int run_user_set(const struct order *order);
int run_user_allow(const struct order *order);
int run_user_deny(const struct order *order);
int run_user_show(const struct order *order);
int run_user_del(const struct order *order);
int run_user_purge(const struct order *order);
int run_user_list(const struct order *order);
int run_user_renew(const struct order *order);
int run_quota(const struct order *order);
int run_alias_add(const struct order *order);
int run_alias_remove(const struct order *order);
int run_alias_list(const struct order *order);
int run_group_add(const struct order *order);
int run_group_remove(const struct order *order);
int run_group_list(const struct order *order);
int run_import_any(const struct order *order);
int run_move(const struct order *order);
int run_index(const struct order *order);
int run_verify(const struct order *order);
int run_undelete(const struct order *order);
int run_acl_list(const struct order *order);
int run_acl_set(const struct order *order);
int run_acl_remove(const struct order *order);
int run_acl_seen(const struct order *order);
int run_status(const struct order *order);
int run_acknowledge(const struct order *order);
int run_start(const struct order *order);
int run_stop(const struct order *order);
int run_drain(const struct order *order);
int run_restart(const struct order *order);
int run_net_start(const struct order *order);
int run_net_stop(const struct order *order);
int run_services(const struct order *order);
int run_log(const struct order *order);
int run_log_level(const struct order *order);
int run_metrics(const struct order *order);
int run_stats(const struct order *order);
int run_health(const struct order *order);
int run_test_connectivity(const struct order *order);
int run_who(const struct order *order);
int run_kick(const struct order *order);
int run_trace(const struct order *order);
int run_reload(const struct order *order);
int run_link_key(const struct order *order);
int run_config_show(const struct order *order);
int run_config_diff(const struct order *order);
int run_sysreport(const struct order *order);
int run_web(const struct order *order);
int run_clientconfig(const struct order *order);
int run_completion(const struct order *order);

#endif
