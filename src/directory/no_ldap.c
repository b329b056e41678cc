/*
 * What stands in for the LDAP back end in a program built without libldap.  The configuration refuses
 * `directory ldap` there, so nobody comes this far.
 */
#include "directory/directory.h"

bool
directory_has_ldap(void)
{
	return false;
}

enum directory_status
directory_open_ldap(const struct directory_ldap_settings *settings, struct directory **directory_out)
{
	(void)settings;
	(void)directory_out;
	return DIRECTORY_UNAVAILABLE;
}
