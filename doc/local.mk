# SPDX-License-Identifier: Apache-2.0

dist_man_MANS = \
  doc/cenote.1 \
  doc/cenote.conf.5
EXTRA_DIST += \
  doc/design.md
