# SPDX-License-Identifier: BSD-3-Clause
# Two commands do everything on a bare Debian 12, installing what they need:
#
#	make demo	build, and show the main job
#	make check	build, and run every test
#
# The build itself is meson's; these targets only spare typing.

BUILD ?= build

all: $(BUILD)/build.ninja
	meson compile -C $(BUILD)

demo: deps all
	tools/demo $(BUILD)

check: deps
	tools/check $(BUILD)

bench: deps all
	bench/run $(BUILD)

install: all
	meson install -C $(BUILD)

# What the build and the tests need, from Debian's packages; says what is missing when not root.
deps:
	tools/install-deps

$(BUILD)/build.ninja:
	meson setup $(BUILD)

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan

.PHONY: all demo check bench install deps clean
