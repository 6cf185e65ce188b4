# SPDX-License-Identifier: Apache-2.0
# @KIND@/@NAME@, a plugin for Cenote.  Needs make, a C compiler, pkg-config and Cenote; where Cenote is
# not installed where pkg-config looks, PKG_CONFIG_PATH says where it is: also a build tree of it.
#
#   make            builds @KIND@-@NAME@.so
#   make check      runs its unit test
#   make install    puts it where Cenote looks for plugins
#   make clean

PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g

plugin = @KIND@-@NAME@.so
packages = @PACKAGES@
warnings = -Wall -Wextra -Wshadow -Wmissing-prototypes
flags = -std=gnu11 $(warnings) $(shell $(PKG_CONFIG) --cflags $(packages))
libs = @LIBS@
plugindir := $(shell $(PKG_CONFIG) --variable=plugindir cenote)

ifneq ($(MAKECMDGOALS),clean)
ifeq ($(plugindir),)
$(error $(PKG_CONFIG) does not know cenote: let PKG_CONFIG_PATH name the directory of its cenote.pc)
endif
endif

all: $(plugin)

# Nothing of libcenote is linked: what the plugin needs of its host it is given.
$(plugin): @NAME@.c
	$(CC) $(CPPFLAGS) $(flags) $(CFLAGS) -fvisibility=hidden -fPIC -shared -Wl,-z,defs $(LDFLAGS) -o $@ @NAME@.c $(libs)

test-@NAME@: test-@NAME@.c @NAME@.c
	$(CC) $(CPPFLAGS) $(flags) $(CFLAGS) $(LDFLAGS) -o $@ test-@NAME@.c @NAME@.c $(libs)

check: all test-@NAME@
	./test-@NAME@
	@echo 'test-@NAME@ passed'

install: all
	install -d "$(DESTDIR)$(plugindir)"
	install -m 755 $(plugin) "$(DESTDIR)$(plugindir)/$(plugin)"

clean:
	rm -f $(plugin) test-@NAME@

.PHONY: all check install clean
