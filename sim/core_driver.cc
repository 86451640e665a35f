// SPDX-License-Identifier: Apache-2.0
// Clocks the compiled core: feeds it tokens as fast as it takes them, and notes what it answers.

#include "memories.h"
#include "core.cc"
#include "layouts.h"	// where the fields of the ports are, made for this core

#include <cstdint>

namespace {

template<size_t N> uint64_t bits(const cxxrtl::value<N> &v, size_t low, size_t width) {
	uint64_t result = 0;
	for (size_t i = 0; i < width; i++)
		result |= uint64_t((v.data[(low + i) / 32] >> ((low + i) % 32)) & 1) << i;
	return result;
}
template<size_t N> uint64_t bits(const cxxrtl::wire<N> &w, size_t low, size_t width) {
	return bits(w.curr, low, width);
}
template<class Port> uint64_t get(const Port &port, Field field) {
	return bits(port, field.low, field.width);
}
int64_t sign_extend(uint64_t x, unsigned width) {
	return int64_t(x << (64 - width)) >> (64 - width);
}

// Loads the table if the core has a port for it, one byte a cycle where the core takes it, then copies
// it, one word a cycle, if it is staged. Returns the busy cycles that passed, or -1 if the core hung.
template<class Top, class Run> auto load_table(Top &top, const Run &run, int)
		-> decltype(top.p_load____valid, int64_t()) {
	int64_t busy = 0, waited = 0;
	int64_t words = LOAD_COPY.width && run.word_bytes ? run.table_bytes / run.word_bytes : 0;
	for (int64_t k = 0; k < run.table_bytes + words && waited <= run.most_cycles; ) {
		int64_t word = k - run.table_bytes;
		top.p_load____valid.template set<uint32_t>(1);
		top.p_load____payload.template set<uint64_t>(word >= 0
			? uint64_t(word) << LOAD_WORD.low | uint64_t(1) << LOAD_COPY.low
			: uint64_t(k / run.word_bytes) << LOAD_WORD.low
				| uint64_t(k % run.word_bytes) << LOAD_BYTE.low
				| uint64_t(run.table[k]) << LOAD_DATA.low);
		top.p_clk.template set<uint32_t>(0);
		top.step();
		busy += bits(top.p_busy, 0, 1);
		bool taken = bits(top.p_load____ready, 0, 1);
		top.p_clk.template set<uint32_t>(1);
		top.step();
		k += taken;
		waited = taken ? 0 : waited + 1;
	}
	top.p_load____valid.template set<uint32_t>(0);
	return waited > run.most_cycles ? -1 : busy;
}
template<class Top, class Run> int64_t load_table(Top &, const Run &, long) { return 0; }

// Cycles for which a token or a result waits: none for most, up to 31 for some.
class Stalls {
	uint64_t state;
	int left = 0;
public:
	explicit Stalls(uint64_t seed) : state(seed) { next(); }
	void next() {
		if (!state)
			return;
		state = state * 6364136223846793005u + 1442695040888963407u;
		left = state >> 62 == 0 ? int(state >> 57 & 31) : int(state >> 60 & 1);
	}
	bool pending() const { return left > 0; }
	void pass() { left -= left > 0; }
};

}  // namespace

extern "C" {

struct Run {
	// in: tokens
	int64_t tokens;
	const uint8_t *kind;
	const int32_t *row;
	int64_t steps;
	int64_t most_cycles;	// of one step, before the core counts as hung
	int64_t stalls;		// a seed: tokens and results wait for random cycles; 0 = never
	int64_t rst_at;		// clock cycle in which `rst` is high, after which all begins again; or -1
	// in: the table to load, word by word
	const uint8_t *table;
	int64_t table_bytes, word_bytes;
	// out, per step
	int64_t *velocity;	// (steps, outputs)
	uint8_t *spikes;	// (steps, inner steps, groups, units)
	int64_t *values;	// (steps, groups), only of a core with values
	int64_t *cycles;	// by the core's own count
	int64_t *busy;		// by counting the busy port; -1 where a reset came before
	int64_t *latency;
	uint8_t *saturated;
	int64_t *progress;	// steps done
};

// For a test that Python's structure is the same.
int64_t run_size() { return sizeof(Run); }

// Returns 0, or 1 if the core hung, 2 if its step count is off.
int run_core(Run *run) {
	cxxrtl_design::p_top top;
	int64_t token = 0, done = 0, clock = 0, last_result = 0, last_event = -1, last_step = 0;
	bool was_reset = false, shown = false;
	Stalls token_stalls(run->stalls), result_stalls(run->stalls ? run->stalls + 1 : 0);
	int64_t busy = load_table(top, *run, 0);
	if (busy < 0)
		return 1;
	while (done < run->steps) {
		if (clock == run->rst_at) {
			top.p_rst.set<uint32_t>(1);
			top.p_i____valid.set<uint32_t>(0);
			top.p_clk.set<uint32_t>(0);
			top.step();
			top.p_clk.set<uint32_t>(1);
			top.step();
			top.p_rst.set<uint32_t>(0);
			for (int64_t k = 0; k < run->steps * int64_t(INNER * GROUPS * UNITS); k++)
				run->spikes[k] = 0;
			for (int64_t k = 0; SPIKE_VALUE.width && k < run->steps * int64_t(GROUPS); k++)
				run->values[k] = 0;
			token = done = busy = 0;
			last_event = -1;
			last_result = ++clock;
			was_reset = shown = false;
			continue;
		}
		bool offered = token < run->tokens && !token_stalls.pending();
		bool ready = !result_stalls.pending();
		token_stalls.pass();
		top.p_o____ready.set<uint32_t>(ready);
		top.p_i____valid.set<uint32_t>(offered);
		if (offered) {
			top.p_i____payload.set<uint64_t>(uint64_t(run->kind[token]) << TOKEN_KIND.low
				| uint64_t(run->row[token]) << TOKEN_ROW.low);
		}
		top.p_clk.set<uint32_t>(0);
		top.step();
		if (get(top.p_spike, SPIKE_VALID)) {
			size_t group = get(top.p_spike, SPIKE_GROUP);
			size_t at = done * INNER + get(top.p_spike, SPIKE_INNER);
			for (size_t k = 0; group < GROUPS && k < UNITS; k++)
				run->spikes[(at * GROUPS + group) * UNITS + k] +=
					bits(top.p_spike, SPIKE_FIRED.low + k, 1);
			if (SPIKE_VALUE.width && group < GROUPS)
				run->values[done * GROUPS + group] = sign_extend(
					get(top.p_spike, SPIKE_VALUE), SPIKE_VALUE.width);
		}
		bool valid = bits(top.p_o____valid, 0, 1);
		if (valid && !shown) {
			run->busy[done] = was_reset ? -1 : busy;
			run->latency[done] = clock - (last_event >= 0 ? last_event : last_step);
			busy = 0;	// what follows a result counts for the next step
		}
		shown = valid && !ready;
		if (shown)
			result_stalls.pass();
		if (valid && ready) {
			result_stalls.next();
			if (get(top.p_o____payload, RESULT_STEP) != uint64_t(done))
				return 2;
			run->cycles[done] = get(top.p_o____payload, RESULT_CYCLES);
			run->saturated[done] = get(top.p_o____payload, RESULT_SATURATED);
			for (size_t k = 0; k < OUTPUTS; k++) {
				size_t width = RESULT_OUTPUTS.width, low = RESULT_OUTPUTS.low + k * width;
				run->velocity[done * OUTPUTS + k] = sign_extend(
					bits(top.p_o____payload, low, width), width);
			}
			was_reset = false;
			last_event = -1;
			last_result = clock;
			*run->progress = ++done;
		}
		busy += bits(top.p_busy, 0, 1);
		if (offered && bits(top.p_i____ready, 0, 1)) {
			if (run->kind[token] == EVENT)
				last_event = clock;
			else if (run->kind[token] == STEP)
				last_step = clock;
			else {
				was_reset = true;
				// What fired before the reset is no part of the step.
				for (size_t k = 0; k < INNER * GROUPS * UNITS; k++)
					run->spikes[done * INNER * GROUPS * UNITS + k] = 0;
				for (size_t k = 0; SPIKE_VALUE.width && k < GROUPS; k++)
					run->values[done * GROUPS + k] = 0;
			}
			token++;
			token_stalls.next();
		}
		top.p_clk.set<uint32_t>(1);
		top.step();
		if (++clock - last_result > run->most_cycles)
			return 1;
	}
	return 0;
}

}  // extern "C"
