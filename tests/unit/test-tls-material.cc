// SPDX-License-Identifier: Apache-2.0
// What transport tls reads: sound files give material, and each way to be unsound a fault that says which.
#include <gtest/gtest.h>

#include "plugins/transport/tls-material.h"
#include "tests/servers/authority.h"

using std::string;

namespace {

class Material : public ::testing::Test
{
protected:
  Material ()
  {
    identity = ca.issue ("client");
    write_all ();
  }

  void
  write_all ()
  {
    folder.write ("ca.pem", ca.pem ());
    folder.write ("client.pem", identity.certificate);
    folder.write ("client.key", identity.key);
  }

  // NULL: fault is set.
  TlsMaterial *
  load (bool allow_readable_key = false)
  {
    string certificate = folder / "client.pem", key = folder / "client.key", authorities = folder / "ca.pem";
    const TlsFiles files = { &authorities[0], &certificate[0], &key[0], allow_readable_key };
    char *text = nullptr;
    TlsMaterial *material = tls_material_new (&files, &text);

    EXPECT_EQ (material == nullptr, text != nullptr);
    fault = text ? text : "";
    g_free (text);
    return material;
  }

  // What is said, with ‹› in place of the folder.
  string
  say ()
  {
    tls_material_free (load ());
    string path = folder / "";
    size_t at = fault.find (path);

    return at == string::npos ? fault : fault.substr (0, at) + "‹›" + fault.substr (at + path.size ());
  }

  static bool
  matches (const string &text, const char *pattern)
  {
    return g_regex_match_simple (pattern, text.c_str (), G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT);
  }

  Folder folder;
  Authority ca;
  Credential identity;
  string fault;
};

TEST_F (Material, IsReadFromSoundFiles)
{
  g_autoptr (TlsMaterial) material = load ();

  ASSERT_NE (material, nullptr) << fault;
  EXPECT_EQ (material->ca_pem, ca.pem ());
  EXPECT_EQ (material->identity->chain_pem, identity.certificate);
  EXPECT_EQ (material->identity->key_pem, identity.key);
  EXPECT_EQ (material->ca_name, "ca-file '" + folder / "ca.pem" + "'");
}

TEST_F (Material, NeedsNoIdentity)
{
  string authorities = folder / "ca.pem";
  const TlsFiles files = { &authorities[0], nullptr, nullptr, FALSE };
  char *text = nullptr;
  g_autoptr (TlsMaterial) material = tls_material_new (&files, &text);

  ASSERT_NE (material, nullptr) << text;
  EXPECT_EQ (material->identity, nullptr);
}

TEST_F (Material, WantsBothOfAnIdentityOrNeither)
{
  string authorities = folder / "ca.pem", path = folder / "client.pem";
  TlsFiles files = { &authorities[0], &path[0], nullptr, FALSE };
  g_autofree char *one = nullptr, *other = nullptr;

  EXPECT_EQ (tls_material_new (&files, &one), nullptr);
  EXPECT_STREQ (one, "cert-file: is set without key-file (expected both, or neither)");
  files = { &authorities[0], nullptr, &path[0], FALSE };
  EXPECT_EQ (tls_material_new (&files, &other), nullptr);
  EXPECT_STREQ (other, "key-file: is set without cert-file (expected both, or neither)");
}

TEST_F (Material, RefusesWhatIsNoSmallRegularFile)
{
  ASSERT_EQ (g_remove ((folder / "ca.pem").c_str ()), 0);
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' cannot be opened: No such file or directory");
  ASSERT_EQ (mkfifo ((folder / "ca.pem").c_str (), 0600), 0);
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' is a FIFO (expected a regular file)");
  ASSERT_EQ (g_remove ((folder / "ca.pem").c_str ()), 0);
  ASSERT_EQ (g_mkdir ((folder / "ca.pem").c_str (), 0700), 0);
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' is a directory (expected a regular file)");
  ASSERT_EQ (g_rmdir ((folder / "ca.pem").c_str ()), 0);
  folder.write ("ca.pem", "");
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' is empty");
  folder.write ("ca.pem", string (TLS_FILE_MAX_BYTES + 1, '\n'));
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' has 4194305 bytes (expected at most 4194304)");
  folder.write ("ca.pem", ca.pem () + string (1, '\0'));
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' has a NUL byte in it (expected PEM, which is text)");
}

TEST_F (Material, RefusesPemThatIsCutShortOrSomethingElse)
{
  folder.write ("ca.pem", ca.pem () + ca.pem ().substr (0, ca.pem ().size () - 30));
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' its certificate 2 is cut short or damaged");
  folder.write ("ca.pem", "no certificate at all\n");
  EXPECT_EQ (say (), "ca-file: '‹›ca.pem' has no certificate in it (expected -----BEGIN CERTIFICATE-----)");
  write_all ();
  folder.write ("client.pem", identity.certificate.substr (0, 200));
  EXPECT_EQ (say (), "cert-file: '‹›client.pem' its certificate 1 is cut short or damaged");
  write_all ();
  folder.write ("client.key", identity.key.substr (0, 100));
  EXPECT_EQ (say (), "key-file: '‹›client.key' has a key that is cut short or damaged");
  folder.write ("client.key", identity.certificate);
  EXPECT_EQ (say (), "key-file: '‹›client.key' has no key in it (expected -----BEGIN PRIVATE KEY-----)");
  folder.write ("client.key", Authority::encrypted_key ());
  EXPECT_EQ (say (), "key-file: '‹›client.key' is encrypted (expected a key without a passphrase)");
}

TEST_F (Material, RefusesAKeyThatIsAnothers)
{
  folder.write ("client.key", ca.issue ("someone else").key);
  EXPECT_EQ (say (), "key-file: '‹›client.key' is not the key of the first certificate in cert-file (expected the one "
                     "that it was made with)");
}

TEST_F (Material, RefusesAKeyThatOthersCanRead)
{
  folder.write ("client.key", identity.key, 0640);
  EXPECT_EQ (say (), "key-file: '‹›client.key' can be read or written by others than its owner (its mode is 0640; "
                     "expected 0600, or allow-readable-key=yes)");
  folder.write ("client.key", identity.key, 0604);
  EXPECT_NE (say (), "");
  g_autoptr (TlsMaterial) material = load (true);
  EXPECT_NE (material, nullptr) << fault;
}

TEST_F (Material, RefusesWhatIsNotValidNow)
{
  Claim claim;

  claim.name = "client";
  claim.from_hours = -10;
  claim.until_hours = -1;
  identity = ca.issue (claim);
  write_all ();
  EXPECT_TRUE (matches (say (), "^cert-file: '‹›client.pem' its certificate 'client' expired on 20..-..-.. ..:.. UTC$"))
    << fault;
  claim.from_hours = 2;
  claim.until_hours = 3;
  identity = ca.issue (claim);
  write_all ();
  EXPECT_TRUE (matches (say (), "^cert-file: .* is valid only from 20..-..-.. ..:.. UTC on$")) << fault;
  const Authority over ("Old CA", -1);
  folder.write ("ca.pem", over.pem ());
  EXPECT_TRUE (matches (say (), "^ca-file: '‹›ca.pem' its certificate of 'Old CA' expired on ")) << fault;
  identity = ca.issue ("client");
  write_all ();
  folder.write ("ca.pem", over.pem () + ca.pem ());
  EXPECT_EQ (say (), "") << "a bundle may have some that are over";
}

TEST_F (Material, WantsTheChainInItsOrder)
{
  folder.write ("client.pem", identity.certificate + ca.pem ());
  EXPECT_EQ (say (), "");
  const Authority other ("Other CA");
  folder.write ("client.pem", identity.certificate + other.pem ());
  EXPECT_EQ (say (), "cert-file: '‹›client.pem' its certificate 2 ('Other CA') did not issue the one before it (expected "
                     "the client's certificate first, then its issuer's, and so on)");
}

TEST_F (Material, KnowsWhenItsFilesHaveChanged)
{
  g_autoptr (TlsMaterial) material = load ();

  ASSERT_NE (material, nullptr) << fault;
  EXPECT_TRUE (tls_material_is_current (material));
  folder.write ("client.key", identity.key);
  EXPECT_FALSE (tls_material_is_current (material)) << "another file, if with the same text";
  g_autoptr (TlsMaterial) same = load ();
  EXPECT_TRUE (tls_material_equal (material, same));
  identity = ca.issue ("client");
  write_all ();
  g_autoptr (TlsMaterial) another = load ();
  EXPECT_FALSE (tls_material_equal (material, another));
  ASSERT_EQ (g_remove ((folder / "client.pem").c_str ()), 0);
  EXPECT_FALSE (tls_material_is_current (another));
}

} // namespace
