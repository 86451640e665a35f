// SPDX-License-Identifier: Apache-2.0
// How a compiled design writes to its memories.

#pragma once

#include <cxxrtl/cxxrtl.h>

// In place of `memory.update`, which queues a word even if no bit of it is enabled.
template<size_t Width>
inline void write_memory(cxxrtl::memory<Width> &memory, size_t index,
		const cxxrtl::value<Width> &word, const cxxrtl::value<Width> &enabled, int priority) {
	if (!enabled.is_zero())
		memory.update(index, word, enabled, priority);
}
