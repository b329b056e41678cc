/*
 * The SQLite file's part of directory_restore().  Worker thread.
 */
#ifndef RESTORED_H
#define RESTORED_H

#include "directory/directory.h"

enum directory_status restored_add(struct directory *directory, const struct directory_user *user);

#endif
