// SPDX-License-Identifier: Apache-2.0
// Which libraries of gRPC's a plugin may need beside the ones that libcenote needs.
#include "plugin-files.h"

extern "C" {
#include "core/registry/plugin-links.h"
}

namespace {

using Names = const char *const[4];

class PluginLinks : public ::testing::Test
{
protected:
  gboolean
  judge (const Names &needed, const Names &own)
  {
    return plugin_links_judge_needed (&file, needed, own, &error);
  }

  const ElfFile file = { "/plugins/x.so", -1, 0, 0, nullptr, 0 };
  GError *error = nullptr;
};

TEST_F (PluginLinks, OurOwnGrpcIsGoodAndSoIsNone)
{
  EXPECT_TRUE (judge ({ "libc.so.6" }, { "libgrpc.so.29" }));
  EXPECT_TRUE (judge ({}, { nullptr }));
  EXPECT_TRUE (judge ({ "libgrpc.so.29", "libgpr.so.29" }, { "libgrpc.so.29", "libgpr.so.29" }));
  EXPECT_TRUE (judge ({ "libgpr.so.29" }, { "libgrpc.so.29" })) << "it comes with libgrpc";
  EXPECT_TRUE (judge ({ "libgrpc.so.29" }, { "libgpr.so.29", "libgrpc.so.29" }));
}

TEST_F (PluginLinks, GrpcsCppPartsAreNotItsCore)
{
  EXPECT_TRUE (judge ({ "libgrpc++.so.1.51", "libgrpc++_reflection.so.1.51" }, { "libgrpc.so.29" }));
  EXPECT_TRUE (judge ({ "libgrpcpp_channelz.so.1.51" }, { nullptr }));
}

TEST_F (PluginLinks, AnotherGrpcIsNamedAndSoIsWhatWasExpected)
{
  EXPECT_REFUSED (judge ({ "libgrpc.so.99" }, { "libgrpc.so.29" }), error, CENOTE_ERROR_PLUGIN,
                  "/plugins/x.so: needs libgrpc.so.99, expected libgrpc.so.29");
  EXPECT_REFUSED (judge ({ "libc.so.6", "libgpr.so.30" }, { "libgrpc.so.29" }), error, CENOTE_ERROR_PLUGIN,
                  "needs libgpr.so.30, expected libgpr.so.29");
  EXPECT_REFUSED (judge ({ "libgrpc_unsecure.so.29" }, { "libgrpc.so.29" }), error, CENOTE_ERROR_PLUGIN,
                  "needs libgrpc_unsecure.so.29, expected libgrpc.so.29");
}

TEST_F (PluginLinks, WhereGrpcIsLinkedIntoUsAnyIsAnother)
{
  EXPECT_REFUSED (judge ({ "libgrpc.so.29" }, { "libc.so.6" }), error, CENOTE_ERROR_PLUGIN,
                  "needs libgrpc.so.29, expected no libgrpc or libgpr: gRPC is linked into libcenote");
}

} // namespace
