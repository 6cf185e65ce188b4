// SPDX-License-Identifier: Apache-2.0
// Who may own and write what runs in this process.
#include <sys/stat.h>

#include "plugin-files.h"

extern "C" {
#include "core/registry/trust.h"
}

namespace {

const TrustOwners owners = { 1000, 2000 };

struct stat
status_of (mode_t mode, uid_t owner)
{
  struct stat status {};

  status.st_mode = mode;
  status.st_uid = owner;
  return status;
}

bool
judge (mode_t mode, uid_t owner, GError **error)
{
  struct stat status = status_of (mode, owner);

  return trust_judge ("/plugins/backoff-x.so", &status, &owners, error);
}

TEST (Trust, RootTheUserAndTheLibrarysOwnerAreTrusted)
{
  GError *error = nullptr;

  for (uid_t owner : { 0u, 1000u, 2000u })
    EXPECT_TRUE (judge (S_IFREG | 0644, owner, nullptr)) << owner;
  EXPECT_REFUSED (judge (S_IFREG | 0644, 1001, &error), error, CENOTE_ERROR_PLUGIN, "/plugins/backoff-x.so",
                  "belongs to user 1001, expected root, the running user 1000 or the owner of libcenote 2000");
}

TEST (Trust, WhatAnybodyMayWriteIsRefused)
{
  GError *error = nullptr;

  EXPECT_TRUE (judge (S_IFREG | 0775, 0, nullptr));
  EXPECT_REFUSED (judge (S_IFREG | 0646, 0, &error), error, CENOTE_ERROR_PLUGIN, "mode 0646", "expected 0644");
  EXPECT_REFUSED (judge (S_IFREG | 01777, 0, &error), error, CENOTE_ERROR_PLUGIN, "mode 1777", "expected 1775");
  EXPECT_REFUSED (judge (S_IFDIR | 0777, 0, &error), error, CENOTE_ERROR_PLUGIN, "mode 0777", "expected 0775");
  EXPECT_TRUE (judge (S_IFDIR | 01777, 0, nullptr));
}

TEST (Trust, OnlyFilesAndDirectoriesAreTrusted)
{
  GError *error = nullptr;

  EXPECT_REFUSED (judge (S_IFIFO | 0644, 0, &error), error, CENOTE_ERROR_PLUGIN, "is a FIFO, expected a file");
  EXPECT_REFUSED (judge (S_IFCHR | 0644, 0, &error), error, CENOTE_ERROR_PLUGIN, "is a device, expected a file");
}

TEST (Trust, LooksAtTheFileAndItsDirectory)
{
  Directory directory;
  std::string file = directory.write ("backoff-x.so", "x");
  GError *error = nullptr;

  EXPECT_TRUE (plugin_trust_check (file.c_str (), nullptr));
  EXPECT_TRUE (plugin_trust_check (directory.path ().c_str (), nullptr));
  g_chmod (file.c_str (), 0666);
  EXPECT_REFUSED (plugin_trust_check (file.c_str (), &error), error, CENOTE_ERROR_PLUGIN, file + " has mode 0666");
  g_chmod (file.c_str (), 0644);
  g_chmod (directory.path ().c_str (), 0777);
  EXPECT_REFUSED (plugin_trust_check (file.c_str (), &error), error, CENOTE_ERROR_PLUGIN,
                  directory.path () + " has mode 0777");
  EXPECT_REFUSED (plugin_trust_check (directory.file ("absent").c_str (), &error), error, CENOTE_ERROR_NOT_FOUND,
                  "No such file");
}

} // namespace
