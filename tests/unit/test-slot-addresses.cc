// SPDX-License-Identifier: Apache-2.0
// slot-addresses: from an address to its place.
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "core/slots/slot-addresses.h"
}

namespace {

class Addresses
{
public:
  explicit Addresses (const std::vector<std::string> &texts)
  {
    std::vector<SlotPlace> places;

    for (const std::string &text : texts)
      places.push_back ({ nullptr, 1, 0, 1, text == "-" ? nullptr : text.c_str (), 0 });
    table = slot_addresses_new (places.data (), static_cast<guint> (places.size ()));
  }

  ~Addresses () { slot_addresses_free (table); }
  Addresses (const Addresses &) = delete;

  guint32 find (const std::string &text) const { return slot_addresses_find (table, text.c_str ()); }

  SlotAddresses *table;
};

TEST (SlotAddresses, NoAddressIsNoTable)
{
  EXPECT_EQ (Addresses ({}).table, nullptr);
  EXPECT_EQ (Addresses ({ "-", "-" }).table, nullptr);
  EXPECT_EQ (Addresses ({}).find ("a:1"), SLOT_NO_PLACE);
}

TEST (SlotAddresses, EachIsFoundAndNothingElse)
{
  std::vector<std::string> texts;

  for (int i = 0; i < 10000; i++)
    texts.push_back ("server-" + std::to_string (i) + ".example.com:50051");
  Addresses addresses (texts);
  for (guint i = 0; i < texts.size (); i++)
    ASSERT_EQ (addresses.find (texts[i]), i);
  for (int i = 10000; i < 20000; i++)
    ASSERT_EQ (addresses.find ("server-" + std::to_string (i) + ".example.com:50051"), SLOT_NO_PLACE);
}

TEST (SlotAddresses, EveryLengthAndEveryByteCounts)
{
  std::vector<std::string> texts;

  for (size_t length = 0; length < 40; length++)
    texts.push_back (std::string (length, 'x'));
  Addresses addresses (texts);
  for (guint i = 0; i < texts.size (); i++)
    EXPECT_EQ (addresses.find (texts[i]), i);
  for (size_t k = 0; k < 39; k++) {
    std::string other = texts[39];

    other[k] = 'y';
    EXPECT_EQ (addresses.find (other), SLOT_NO_PLACE) << k;
  }
}

TEST (SlotAddresses, OfTwoWithOneAddressTheFirstIsFound)
{
  Addresses addresses ({ "-", "a:1", "b:1", "a:1" });

  EXPECT_EQ (addresses.find ("a:1"), 1u);
  EXPECT_EQ (addresses.find ("b:1"), 2u);
}

} // namespace
